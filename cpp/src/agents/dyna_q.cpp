#include "dynaplan/agents/dyna_q.hpp"

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

void DynaQ::learn(Index pair) {
  update(pair, target(experience().outcome(pair)));
  for (Index n = 0; n < settings().planning_steps; ++n) {
    const Index state = experience().visited_state(stream().below(experience().visited()));
    const Index imagined = experience().tried_pair(state, stream().below(experience().tried_count(state)));
    update(imagined, target(experience().outcome(imagined)));
  }
}

DynaQPlus::DynaQPlus(const TabularSettings& settings, double bonus) : TabularAgent(settings), bonus_(bonus) {
  require(bonus >= 0.0 && bonus <= kLargestReward, "bonus", bonus, "from 0 to 1e+100");
}

void DynaQPlus::learn(Index pair) {
  update(pair, target(experience().outcome(pair)));
  for (Index n = 0; n < settings().planning_steps; ++n) {
    const Index state = experience().visited_state(stream().below(experience().visited()));
    const Index imagined = state * table().actions() + stream().below(table().actions());
    Outcome outcome = experience().outcome(imagined);
    const auto untried_for = static_cast<double>(experience().steps() - experience().last_tried(imagined));
    outcome.reward += rounded_product(bonus_, std::sqrt(untried_for));
    update(imagined, target(outcome));
  }
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
