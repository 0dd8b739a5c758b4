#include "dynaplan/agents/dyna_q.hpp"

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

void DynaQ::learn(Index pair) {
  update(pair, target(model().outcome(pair)));
  for (Index n = 0; continues(n); ++n) {
    const Index state = model().visited_state(stream().below(model().visited()));
    const Index imagined = model().tried_pair(state, stream().below(model().tried_count(state)));
    update(imagined, target(model().outcome(imagined)));
  }
}

DynaQPlus::DynaQPlus(const TabularSettings& settings, double bonus) : TabularAgent(settings), bonus_(bonus) {
  require(bonus >= 0.0 && bonus <= kMaxReward, "bonus", bonus, "from 0 to 1e+100");
}

void DynaQPlus::learn(Index pair) {
  update(pair, target(model().outcome(pair)));
  for (Index n = 0; continues(n); ++n) {
    const Index state = model().visited_state(stream().below(model().visited()));
    const Index imagined = state * table().actions() + stream().below(table().actions());
    Outcome outcome = model().outcome(imagined);
    const auto untried_for = static_cast<double>(model().steps() - model().last_tried(imagined));
    outcome.reward += rounded_product(bonus_, std::sqrt(untried_for));
    update(imagined, target(outcome));
  }
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
