#include <algorithm>
#include <optional>
#include <string>

#include "dynaplan/core/error.hpp"
#include "dynaplan/rollout/rollout.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

template <class T>
void clip(const StateLimits<T>& limits, Block<T> state) {
  for (Index i = 0; i < state.dim; ++i) {
    const T low = limits.low[static_cast<std::size_t>(i)];
    const T high = limits.high[static_cast<std::size_t>(i)];
    T* value = state.row(i);
    // A nan passes both comparisons and stays: a diverged trajectory must not look sound.
    for (Index k = 0; k < state.lanes; ++k) {
      const T raised = value[k] < low ? low : value[k];
      value[k] = raised > high ? high : raised;
    }
  }
}

template <class T>
void hold_ended(const T* alive, ConstBlock<T> state, Block<T> next) {
  for (Index i = 0; i < next.dim; ++i) {
    for (Index k = 0; k < next.lanes; ++k) {
      next.row(i)[k] = alive[k] != T(0) ? next.row(i)[k] : state.row(i)[k];
    }
  }
}

template <class T>
void add_scaled(const T* reward, T scale, const T* alive, Index lanes, T* total) {
  if (alive == nullptr) {
    for (Index k = 0; k < lanes; ++k) total[k] += scale * reward[k];
    return;
  }
  // A choice, not a product: an ended trajectory's reward may be nan and must still count as nothing.
  for (Index k = 0; k < lanes; ++k) total[k] += alive[k] != T(0) ? scale * reward[k] : T(0);
}

// What a step is worth, and how it counts: each term of the return is weighed by the discount so far and by whether
// the trajectory is still alive. Without either, the reward adds to the total directly.
template <class T>
class ReturnSum {
 public:
  ReturnSum(const RolloutProblem<T>& problem, const T* alive, T* step_reward, Index lanes, T* total)
      : problem_(problem), alive_(alive), step_reward_(step_reward), lanes_(lanes), total_(total) {
    std::fill_n(total, lanes, T(0));
  }

  void add(const StepView<T>& view, Workspace& workspace) {
    if (step_reward_ == nullptr) {
      problem_.reward->add(view, workspace, total_);
      return;
    }
    std::fill_n(step_reward_, lanes_, T(0));
    problem_.reward->add(view, workspace, step_reward_);
    add_scaled(step_reward_, scale_, alive_, lanes_, total_);
    scale_ *= problem_.discount;
  }

 private:
  const RolloutProblem<T>& problem_;
  const T* alive_;
  T* step_reward_;  // null where nothing is weighed
  Index lanes_;
  T* total_;
  T scale_ = T(1);
};

}  // namespace

template <class T>
std::size_t RolloutProblem<T>::workspace_bytes(Index lanes, bool keeps_trajectory) const {
  const Index state_rows = keeps_trajectory ? 0 : 2 * dynamics->state_dim();
  const std::size_t of_reward = reward != nullptr ? reward->workspace_bytes(lanes) : 0;
  const std::size_t own = Workspace::bytes<T>(state_rows * lanes) + 2 * Workspace::bytes<T>(lanes) +
                          std::max(dynamics->workspace_bytes(lanes), of_reward);
  return cheaper != nullptr ? std::max(own, cheaper->workspace_bytes(lanes, keeps_trajectory)) : own;
}

template <class T>
void RolloutProblem<T>::validate() const {
  const Index state_dim = dynamics->state_dim();
  if (reward != nullptr) reward->require_dims(state_dim, dynamics->action_dim());
  if (termination != nullptr) termination->require_dims(state_dim);
  if (limits != nullptr && static_cast<Index>(limits->low.size()) != state_dim) {
    throw ShapeError("clip: has limits for " + std::to_string(limits->low.size()) +
                     " states, must have them for the model's " + std::to_string(state_dim));
  }
  if (!(discount > T(0) && discount <= T(1))) {
    throw ValueError("discount: got " + std::to_string(discount) + ", must be in (0, 1]");
  }
}

template <class T>
void rollout_block(const RolloutProblem<T>& problem, const BlockRollout<T>& block, Workspace& workspace) {
  const bool wants_return_alone = block.trajectory.data == nullptr && block.draw.propagation == Propagation::kMean;
  if (problem.cheaper != nullptr && wants_return_alone) {
    rollout_block(*problem.cheaper, block, workspace);
    return;
  }
  const Workspace::Scope scope(workspace);
  const Index state_dim = problem.dynamics->state_dim();
  const Index action_dim = problem.dynamics->action_dim();
  const Index lanes = block.actions.lanes;
  const Index horizon = block.actions.dim / action_dim;
  const bool keeps_trajectory = block.trajectory.data != nullptr;
  const bool scores = block.total != nullptr && problem.reward != nullptr;
  const bool weighs = problem.termination != nullptr || problem.discount != T(1);

  // With a trajectory, its own rows hold the states; without, two tiles take turns.
  const Block<T> tiles = keeps_trajectory ? block.trajectory : workspace.take_block<T>(2 * state_dim, lanes);
  const auto state_at = [&](Index t) { return tiles.rows((keeps_trajectory ? t : t % 2) * state_dim, state_dim); };
  T* const alive = problem.termination != nullptr ? workspace.take<T>(lanes) : nullptr;
  T* const step_reward = scores && weighs ? workspace.take<T>(lanes) : nullptr;
  if (alive != nullptr) std::fill_n(alive, lanes, T(1));
  std::optional<ReturnSum<T>> total;
  if (scores) total.emplace(problem, alive, step_reward, lanes, block.total);
  if (problem.coordinates != nullptr) {
    problem.coordinates->apply(&block.initial_state, 1, state_at(0));
  } else {
    copy_block(block.initial_state, state_at(0));
  }

  Draw draw = block.draw;
  ConstBlock<T> previous_action =
      block.last_action.data != nullptr ? block.last_action : block.actions.rows(0, action_dim);
  for (Index t = 0; t < horizon; ++t) {
    const ConstBlock<T> state = state_at(t);
    const ConstBlock<T> action = block.actions.rows(t * action_dim, action_dim);
    const Block<T> next = state_at(t + 1);
    draw.step = t;
    problem.dynamics->step(state, action, draw, workspace, next);
    if (problem.limits != nullptr) clip(*problem.limits, next);
    if (alive != nullptr) hold_ended(alive, state, next);
    if (total) total->add({state, action, previous_action, next, t}, workspace);
    if (alive != nullptr) problem.termination->mark(state, action, next, alive);
    previous_action = action;
  }
}

template struct RolloutProblem<float>;
template struct RolloutProblem<double>;
template void rollout_block<float>(const RolloutProblem<float>&, const BlockRollout<float>&, Workspace&);
template void rollout_block<double>(const RolloutProblem<double>&, const BlockRollout<double>&, Workspace&);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
