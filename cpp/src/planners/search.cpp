#include "dynaplan/planners/search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

void keep_best(const Candidates& candidates, float& best_total, PlanResult& result) {
  const Index best = candidates.best();
  const float total = candidates.totals()[best];
  if (!(total > best_total)) return;
  best_total = total;
  candidates.copy_actions(best, result.actions.data());
}

// Draws that no candidate has seen.
std::uint32_t fresh_draws(int iterations) { return static_cast<std::uint32_t>(iterations); }

}  // namespace

float run_search(const PlanProblem& problem, Index horizon, int iterations, Search& search, SearchMemory& memory,
                 PlanResult& result) {
  Candidates& candidates = memory.candidates;
  candidates.begin_plan();
  result.begin(problem, horizon);
  memory.kept.begin(problem, horizon);
  float best_total = -std::numeric_limits<float>::infinity();
  for (int iteration = 0; iteration < iterations; ++iteration) {
    const Index drawn = search.population(iteration);
    const Index count = drawn + memory.kept.count();
    candidates.prepare(problem, count, horizon);
    if (!candidates.in_time(problem)) {
      result.status = PlanStatus::kTimeLimit;
      break;
    }
    const auto draw = [&](Index first, Block<float> actions, Workspace& workspace) {
      search.draw(iteration, first, actions, workspace);
      memory.kept.write(drawn, first, actions);
    };
    const Evaluated evaluated = candidates.evaluate(problem, static_cast<std::uint32_t>(iteration), draw);
    result.non_finite += evaluated.non_finite;
    result.rejected += evaluated.rejected;
    result.candidates += count - evaluated.late;
    keep_best(candidates, best_total, result);
    if (evaluated.late > 0) {
      result.status = PlanStatus::kTimeLimit;
      break;
    }
    memory.kept.clear();
    search.update(iteration, count - evaluated.ranked_last());
    ++result.iterations;
    if (result.iterations < iterations && search.has_settled()) {
      result.status = PlanStatus::kConverged;
      break;
    }
  }
  if (result.non_finite + result.rejected == result.candidates) result.status = PlanStatus::kNoFiniteCandidate;
  return best_total;
}

void choose_mean(const PlanProblem& problem, int iterations, SearchMemory& memory, PlanResult& result) {
  for (Index row = 0; row < static_cast<Index>(result.actions.size()); ++row) {
    result.actions[static_cast<std::size_t>(row)] = memory.distribution.mean_action(row);
  }
  limit_rates(problem, result.actions);
  result.spread.assign(memory.distribution.std.begin(), memory.distribution.std.end());
  memory.candidates.evaluate_result(problem, fresh_draws(iterations), result);
}

void choose_best(const PlanProblem& problem, int iterations, float best_total, SearchMemory& memory,
                 PlanResult& result) {
  const bool has_best = std::isfinite(best_total);
  if (has_best && result.status == PlanStatus::kTimeLimit) {  // no time for the mean
    memory.candidates.evaluate_result(problem, fresh_draws(iterations), result);
    return;
  }
  memory.best.assign(result.actions.begin(), result.actions.end());
  choose_mean(problem, iterations, memory, result);
  if (!has_best) return;
  // Drawn returns flatter the candidate that drew well: it is evaluated again, on the draws of the mean.
  const bool is_drawn = problem.rollout.particles.propagation != Propagation::kMean;
  const double best_value = is_drawn ? memory.candidates.value_of(problem, fresh_draws(iterations), memory.best)
                                     : static_cast<double>(best_total);
  if (std::isfinite(result.value) && !(best_value > result.value)) return;
  memory.best.swap(result.actions);
  memory.candidates.evaluate_result(problem, fresh_draws(iterations), result);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
