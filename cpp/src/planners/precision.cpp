#include "dynaplan/planners/precision.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/error.hpp"
#include "dynaplan/planners/random_shooting.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// Rounding's largest share of what sets candidates apart with which a plan in float32 is as good as one in float64. Of
// ordinary problems it is less.
constexpr double kMaxRounding = 1e-4;

// The same with which a part that computes in float32 alone still makes plans of some use.
constexpr double kMaxRoundingOfFloat32Parts = 0.01;

// The candidates of a look at a problem.
constexpr Index kFew = 8;

bool is_same(double a, double b) { return std::abs(a - b) <= 1e-14 * std::max(std::abs(a), std::abs(b)); }

// Where a search in float32 leaves it unclear, since no return is finite, all are the same, or an entry of the state is
// the same for all candidates: whether that is different in float64.
class LookInFloat64 {
 public:
  LookInFloat64(Index horizon, const ExactPlanProblem& problem, SamplingMemory& memory) : memory_(memory) {
    RandomShooting({horizon, kFew}).plan(problem, memory.exact, memory.exact_result);
  }

  bool finds_returns() const {
    const double* const totals = memory_.exact.candidates.totals();
    const auto [worst, best] = std::minmax_element(totals, totals + kFew);
    return std::isfinite(*best) && !is_same(*worst, *best);
  }

  // Whether an entry of the state goes elsewhere. Candidates differ, but an entry that is the same for all does not.
  bool finds_motion(Index entry) const {
    constexpr double kElsewhere = 1e-3;
    const double here = moved(memory_.single_result.states, entry);
    const double there = moved(memory_.exact_result.states, entry);
    return std::abs(here - there) > kElsewhere * std::abs(there);
  }

 private:
  template <class T>
  double moved(const std::vector<T>& states, Index entry) const {
    const std::size_t state_dim = memory_.single.candidates.spread().ends.size();
    const auto i = static_cast<std::size_t>(entry);
    return static_cast<double>(states[states.size() - state_dim + i]) - static_cast<double>(states[i]);
  }

  const SamplingMemory& memory_;
};

// Whether float32 told the candidates of a plan apart.
bool is_resolved(Index horizon, const ExactPlanProblem& exact, SamplingMemory& memory) {
  const Rounding rounding = memory.single_result.rounding.value_or(Rounding());
  const std::vector<float>& ends = memory.single.candidates.spread().ends;
  const bool is_clear = std::none_of(ends.begin(), ends.end(), [](float apart) { return apart == 0.0F; });
  const bool is_told = std::isfinite(rounding.share);
  if (is_told && (rounding.share > kMaxRounding || is_clear)) return rounding.share <= kMaxRounding;
  const LookInFloat64 look(horizon, exact, memory);
  if (!is_told) return !rounding.is_felt && !look.finds_returns();
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (ends[i] == 0.0F && look.finds_motion(static_cast<Index>(i))) return false;
  }
  return true;
}

// The part of a problem that computes in float32 whatever it is asked in, or null.
const char* float32_part(const RolloutProblem<double>& problem) {
  if (problem.dynamics->is_float32()) return "model";
  if (problem.reward != nullptr && problem.reward->is_float32()) return "reward";
  if (problem.termination != nullptr && problem.termination->is_float32()) return "termination";
  return nullptr;
}

// Whether such a part is too coarse for any plan. Where all candidates look the same to it, a nudge tells.
bool is_too_coarse(const SamplingMemory& memory) {
  const Rounding rounding = memory.single_result.rounding.value_or(Rounding());
  return std::isfinite(rounding.share) ? rounding.share > kMaxRoundingOfFloat32Parts : rounding.is_felt;
}

// The largest number that float32 has to hold: where its steps are widest.
std::string largest_number(const PlanProblem& problem) {
  const RolloutProblem<float>& rollout = problem.rollout;
  std::string name = "the origin";
  double largest = 0.0;
  const auto look_at = [&](const char* what, const double* values, Index count) {
    for (Index i = 0; i < count; ++i) {
      if (std::abs(values[i]) <= largest) continue;
      largest = std::abs(values[i]);
      name = std::string(what) + "[" + text_of(i) + "] = " + text_of(values[i]);
    }
  };
  look_at("state", problem.state, rollout.dynamics->state_dim());
  look_at("action_space.low", problem.action_low, rollout.dynamics->action_dim());
  look_at("action_space.high", problem.action_high, rollout.dynamics->action_dim());
  return name;
}

}  // namespace

void plan_at_needed_precision(const SamplingPlanner& planner, PlanProblem problem, ExactPlanProblem exact,
                              SamplingMemory& memory) {
  static_cast<PlanCall&>(exact) = problem;
  problem.exact = &exact;
  const auto resolves = [&](const SamplingPlanner& by) {
    by.plan(problem, memory.single, memory.single_result);
    return is_resolved(planner.horizon(), exact, memory);
  };
  const char* const part = float32_part(exact.rollout);
  memory.is_exact = false;
  if (part != nullptr || problem.rollout.dynamics->gains_from_float32()) {
    // Where there is no time to plan twice, a look comes first.
    const bool is_promising = !problem.deadline || resolves(RandomShooting({planner.horizon(), kFew}));
    if (is_promising && resolves(planner)) return;
  }
  if (part == nullptr) {
    memory.is_exact = true;
    planner.plan(exact, memory.exact, memory.exact_result);
    return;
  }
  if (is_too_coarse(memory)) {
    throw ValueError(std::string(part) + ": a compiled function of float32 numbers, which are too coarse to tell one " +
                     "plan from another at " + largest_number(problem) +
                     "; write it for float64, or count states and actions from a point nearby");
  }
  planner.plan(problem, memory.single, memory.single_result);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
