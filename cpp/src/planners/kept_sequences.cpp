#include "dynaplan/planners/kept_sequences.hpp"

#include <algorithm>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
void KeptSequences<T>::begin(const PlanProblemOf<T>& problem, Index horizon) {
  const Index action_dim = problem.rollout.dynamics->action_dim();
  const EarlierSequences& carried = problem.carried;
  size_ = horizon * action_dim;
  count_ = carried.count;
  given_ = std::min(carried.steps_left(), horizon) * action_dim;
  actions_.resize(static_cast<std::size_t>(count_ * size_));
  for (Index n = 0; n < count_; ++n) {
    const double* const sequence = carried.actions + (n * carried.steps + carried.skip) * action_dim;
    for (Index row = 0; row < given_; ++row) {
      const Index dim = row % action_dim;
      const double action = sequence[row];
      actions_[static_cast<std::size_t>(n * size_ + row)] = static_cast<T>(
          std::clamp(action, problem.low_at(row / action_dim, dim), problem.high_at(row / action_dim, dim)));
    }
  }
}

template <class T>
T* KeptSequences<T>::keep(Index count) {
  count_ = count;
  given_ = size_;
  actions_.resize(static_cast<std::size_t>(count_ * size_));
  return actions_.data();
}

template <class T>
void KeptSequences<T>::write(Index drawn, Index first, Block<T> actions) const {
  for (Index n = std::max(drawn, first); n < std::min(drawn + count_, first + actions.lanes); ++n) {
    const T* const sequence = actions_.data() + (n - drawn) * size_;
    for (Index row = 0; row < given_; ++row) actions.row(row)[n - first] = sequence[row];
  }
}

template class KeptSequences<float>;
template class KeptSequences<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
