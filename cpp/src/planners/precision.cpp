#include "dynaplan/planners/precision.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/error.hpp"
#include "dynaplan/planners/jump_rounding.hpp"
#include "dynaplan/planners/random_shooting.hpp"
#include "dynaplan/planners/score_time.hpp"

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

// Whether functions outside take so much of the time that there is for a plan that a look costs more than float64 does.
bool are_scores_slow(const ExactPlanProblem& exact) {
  constexpr Index kCallsOfLook = kFew + 4;
  constexpr double kShare = 0.25;
  return exact.deadline && exact.scores_at_once() &&
         static_cast<double>(kCallsOfLook) * exact.score_time.of(1) > kShare * exact.seconds_left();
}

// The same problem, a quarter of its time to be used.
PlanProblem in_part_of_the_time(const PlanProblem& problem) {
  PlanProblem look = problem;
  if (problem.deadline) *look.deadline = Clock::now() + (*problem.deadline - Clock::now()) / 4;
  return look;
}

// Whether the plan made in float32 is worth as much in float64: on an edge a rounding decides.
bool is_worth_the_same(Index horizon, const ExactPlanProblem& exact, SamplingMemory& memory) {
  const PlanResult<float>& single = memory.single_result;
  Candidates<double>& candidates = memory.exact.candidates;
  candidates.begin_plan(exact, horizon);
  candidates.prepare(exact, 1, horizon);
  memory.exact_result.begin(exact, horizon);
  memory.exact_result.actions.assign(single.actions.begin(), single.actions.end());
  candidates.evaluate_result(exact, 0, memory.exact_result);
  const double spread = single.rounding.value_or(Rounding()).returns;
  const double size = std::max(std::abs(single.value), std::abs(memory.exact_result.value));
  const double last_digits = 10.0 * static_cast<double>(std::numeric_limits<float>::epsilon()) * size;
  return !(std::abs(memory.exact_result.value - single.value) > kMaxRounding * spread + last_digits);
}

// Whether float32 told on which side of what jumps the states of a plan are.
bool are_jumps_resolved(Index horizon, const ExactPlanProblem& exact, SamplingMemory& memory) {
  find_jumps(exact, memory.jumps);
  if (memory.jumps.empty()) return true;
  const double share = rounding_of_jumps(exact, memory.jumps, memory.single_result.states, horizon);
  if (share > kMaxRounding) return false;
  constexpr double kOfOrdinaryProblems = 1e-5;  // at most
  const bool is_drawn = exact.rollout.particles.propagation != Propagation::kMean;
  return share <= kOfOrdinaryProblems || is_drawn || is_worth_the_same(horizon, exact, memory);
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
  const Index horizon = planner.horizon();
  static_cast<PlanCall&>(exact) = problem;
  problem.exact = &exact;
  if (problem.deadline && exact.scores_at_once()) {
    problem.score_time = exact.score_time = measure_score_time(exact, horizon);
  }
  const char* const part = float32_part(exact.rollout);
  const auto resolves = [&](const SamplingPlanner& by, const PlanProblem& in_float32) {
    by.plan(in_float32, memory.single, memory.single_result);
    return (part != nullptr || are_jumps_resolved(horizon, exact, memory)) && is_resolved(horizon, exact, memory);
  };
  memory.is_exact = false;
  bool is_planned = false;
  const bool is_worth_a_look = problem.rollout.dynamics->gains_from_float32() && !are_scores_slow(exact);
  if (part != nullptr || is_worth_a_look) {
    // Where there is no time to plan twice, a look comes first.
    is_planned = !problem.deadline || resolves(RandomShooting({horizon, kFew, {}}), in_part_of_the_time(problem));
    if (is_planned && resolves(planner, problem)) return;
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
