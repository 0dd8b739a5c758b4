#pragma once

#include "dynaplan/agents/tabular_agent.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Dyna-Q (Sutton & Barto 2018, section 8.2): Q-learning from each real step, then from `planning_steps` imagined ones,
/// each from a state drawn from those visited and an action drawn from those tried there. Without any it is Q-learning.
class DynaQ final : public TabularAgent {
 public:
  using TabularAgent::TabularAgent;

 private:
  void learn(Index pair) override;
};

/// Dyna-Q+ (section 8.3): imagined steps pay bonus * sqrt(real steps since the pair was tried) more, and all actions of
/// a visited state are drawn from; one never tried is imagined to lead back without a reward.
class DynaQPlus final : public TabularAgent {
 public:
  /// Throws ValueError.
  DynaQPlus(const TabularSettings& settings, double bonus);
  double bonus() const { return bonus_; }

 private:
  void learn(Index pair) override;

  double bonus_;  // kappa
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
