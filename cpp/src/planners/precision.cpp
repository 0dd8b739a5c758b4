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

// Rounding's largest share with which a part that computes in float32 alone still makes plans of some use.
constexpr double kMaxRoundingOfFloat32Parts = 0.01;

// The candidates of a look at a problem.
constexpr Index kFew = 8;

bool is_same(double a, double b) { return std::abs(a - b) <= 1e-14 * std::max(std::abs(a), std::abs(b)); }

// Whether a few candidates have returns in float64, and not all the same.
bool has_returns_in_float64(Index horizon, const ExactPlanProblem& exact, SamplingMemory& memory) {
  RandomShooting({horizon, kFew, {}}).plan(exact, memory.exact, memory.exact_result);
  const double* const totals = memory.exact.candidates.totals();
  const auto [worst, best] = std::minmax_element(totals, totals + kFew);
  return std::isfinite(*best) && !is_same(*worst, *best);
}

// Whether float32 told the candidates of a plan apart. Where that is unclear, since no return is finite or all are the
// same, float64 tells.
bool is_resolved(Index horizon, const ExactPlanProblem& exact, SamplingMemory& memory) {
  const Rounding rounding = memory.single_result.rounding.value_or(Rounding());
  if (std::isfinite(rounding.share)) return rounding.share <= kMaxRounding;
  return !rounding.is_felt && !has_returns_in_float64(horizon, exact, memory);
}

// The part of a problem that computes in float32 whatever it is asked in, or null.
const char* float32_part(const RolloutProblem<double>& problem) {
  if (problem.dynamics->is_float32()) return "model";
  if (problem.reward != nullptr && problem.reward->is_float32()) return "reward";
  if (problem.termination != nullptr && problem.termination->is_float32()) return "termination";
  for (const Reward<double>* constraint : problem.constraints) {
    if (constraint->is_float32()) return "limits.constraints";
  }
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
  bool is_planned = false;
  if (part != nullptr || problem.rollout.dynamics->gains_from_float32()) {
    // Where there is no time to plan twice, a look comes first.
    is_planned = !problem.deadline || resolves(RandomShooting({planner.horizon(), kFew, {}}));
    if (is_planned && resolves(planner)) return;
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
  if (!is_planned) planner.plan(problem, memory.single, memory.single_result);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
