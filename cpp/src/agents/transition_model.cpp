#include "dynaplan/agents/transition_model.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

TransitionModel::TransitionModel(Index states, Index actions)
    : actions_(actions),
      outcomes_(static_cast<std::size_t>(states * actions)),
      last_tried_(outcomes_.size(), 0),
      tried_count_(static_cast<std::size_t>(states), 0),
      tried_by_state_(outcomes_.size(), 0) {
  visited_.reserve(tried_count_.size());
  tried_.reserve(outcomes_.size());
  for (Index pair = 0; pair < states * actions; ++pair) {
    outcomes_[static_cast<std::size_t>(pair)] = {0.0, static_cast<std::int32_t>(pair / actions)};
  }
}

void TransitionModel::record(Index pair, const Outcome& outcome) { restore(pair, outcome, ++steps_); }

void TransitionModel::restore(Index pair, const Outcome& outcome, Index when) {
  const auto place = static_cast<std::size_t>(pair);
  if (last_tried_[place] == 0) {
    const Index state = pair / actions_;
    std::int32_t& count = tried_count_[static_cast<std::size_t>(state)];
    if (count == 0) visited_.push_back(static_cast<std::int32_t>(state));
    tried_by_state_[static_cast<std::size_t>(state * actions_ + count)] = static_cast<std::int32_t>(pair);
    ++count;
    tried_.push_back(static_cast<std::int32_t>(pair));
  }
  outcomes_[place] = {outcome.reward, static_cast<std::int32_t>(outcome.next_state)};
  last_tried_[place] = when;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
