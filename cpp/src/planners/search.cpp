#include "dynaplan/planners/search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dynaplan/planners/action_limits.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

template <class T>
void keep_best(const Candidates<T>& candidates, bool allowed, BestCandidate<T>& kept, PlanResult<T>& result) {
  const Index best = candidates.best();
  const T total = candidates.totals()[best];
  const bool better = allowed == kept.allowed ? total > kept.total : allowed;
  if (!better) return;
  kept = {total, allowed};
  candidates.copy_actions(best, result.actions.data());
}

// Draws that no candidate has seen.
std::uint32_t fresh_draws(int iterations) { return static_cast<std::uint32_t>(iterations); }

template <class T>
bool is_drawn(const PlanProblemOf<T>& problem) {
  return problem.rollout.particles.propagation != Propagation::kMean;
}

// The warm start, within the limits, takes the place of a result that is worth less.
template <class T>
void keep_warm_start(const PlanProblemOf<T>& problem, int iterations, SearchMemory<T>& memory, PlanResult<T>& result) {
  if (problem.warm_start.actions == nullptr || !(static_cast<double>(memory.start_total) > result.value)) return;
  std::vector<T>& start = memory.start;
  start.resize(result.actions.size());
  for (std::size_t row = 0; row < start.size(); ++row) {
    start[row] = finite_bound<T>(problem.start_action(static_cast<Index>(row)));
  }
  limit_changes(problem, start);
  // A return on other draws says too little.
  if (is_drawn(problem) && !(memory.candidates.value_of(problem, fresh_draws(iterations), start) > result.value))
    return;
  result.actions.assign(start.begin(), start.end());
  memory.candidates.evaluate_result(problem, fresh_draws(iterations), result);
}

template <class T>
void take_mean(const PlanProblemOf<T>& problem, int iterations, SearchMemory<T>& memory, PlanResult<T>& result) {
  for (Index row = 0; row < static_cast<Index>(result.actions.size()); ++row) {
    result.actions[static_cast<std::size_t>(row)] = memory.distribution.mean_action(row);
  }
  limit_changes(problem, result.actions);
  result.spread.assign(memory.distribution.std.begin(), memory.distribution.std.end());
  memory.candidates.evaluate_result(problem, fresh_draws(iterations), result);
}

// A mean may be allowed where no candidate was.
template <class T>
void tell_finite(PlanResult<T>& result) {
  if (result.status == PlanStatus::kNoFiniteCandidate && std::isfinite(result.value)) {
    result.status = PlanStatus::kIterations;
  }
}

}  // namespace

template <class T>
BestCandidate<T> run_search(const PlanProblemOf<T>& problem, Index horizon, int iterations, Search<T>& search,
                            SearchMemory<T>& memory, PlanResult<T>& result) {
  Candidates<T>& candidates = memory.candidates;
  candidates.begin_plan(problem, horizon);
  memory.start_total = -std::numeric_limits<T>::infinity();
  result.begin(problem, horizon);
  memory.kept.begin(problem, horizon);
  BestCandidate<T> best;
  for (int iteration = 0; iteration < iterations; ++iteration) {
    const Index drawn = search.population(iteration);
    const Index count = drawn + memory.kept.count();
    candidates.prepare(problem, count, horizon);
    if (!candidates.in_time(problem)) {
      result.status = PlanStatus::kTimeLimit;
      break;
    }
    const auto draw = [&](Index first, Block<T> actions, Workspace& workspace) {
      search.draw(iteration, first, actions, workspace);
      memory.kept.write(drawn, first, actions);
    };
    const Evaluated evaluated = candidates.evaluate(problem, static_cast<std::uint32_t>(iteration), draw);
    const bool allowed = evaluated.allowed() > 0;
    if (iteration == 0 && allowed) memory.start_total = candidates.totals()[0];
    result.non_finite += evaluated.non_finite;
    result.rejected += evaluated.rejected;
    result.candidates += count - evaluated.late;
    keep_best(candidates, allowed, best, result);
    if (evaluated.late > 0) {
      result.status = PlanStatus::kTimeLimit;
      break;
    }
    memory.kept.clear();
    search.update(iteration, evaluated.ranked());
    ++result.iterations;
    if (result.iterations < iterations && search.has_settled()) {
      result.status = PlanStatus::kConverged;
      break;
    }
  }
  if (result.non_finite + result.rejected == result.candidates) result.status = PlanStatus::kNoFiniteCandidate;
  return best;
}

template <class T>
void choose_mean(const PlanProblemOf<T>& problem, int iterations, const BestCandidate<T>& best, SearchMemory<T>& memory,
                 PlanResult<T>& result) {
  memory.best.assign(result.actions.begin(), result.actions.end());
  take_mean(problem, iterations, memory, result);
  if (best.exists() && !std::isfinite(result.value)) {
    memory.best.swap(result.actions);
    memory.candidates.evaluate_result(problem, fresh_draws(iterations), result);
  }
  keep_warm_start(problem, iterations, memory, result);
  tell_finite(result);
}

template <class T>
void choose_best(const PlanProblemOf<T>& problem, int iterations, const BestCandidate<T>& best, SearchMemory<T>& memory,
                 PlanResult<T>& result) {
  if (best.exists() && result.status == PlanStatus::kTimeLimit) {  // no time for the mean
    memory.candidates.evaluate_result(problem, fresh_draws(iterations), result);
    return;
  }
  memory.best.assign(result.actions.begin(), result.actions.end());
  take_mean(problem, iterations, memory, result);
  tell_finite(result);
  if (!best.exists()) return;
  if (std::isfinite(result.value)) {
    if (!best.allowed) return;
    // Drawn returns flatter the candidate that drew well: it is evaluated again, on the draws of the mean.
    const double best_value = is_drawn(problem)
                                  ? memory.candidates.value_of(problem, fresh_draws(iterations), memory.best)
                                  : static_cast<double>(best.total);
    if (!(best_value > result.value)) return;
  }
  memory.best.swap(result.actions);
  memory.candidates.evaluate_result(problem, fresh_draws(iterations), result);
}

template BestCandidate<float> run_search(const PlanProblem&, Index, int, Search<float>&, SearchMemory<float>&,
                                         PlanResult<float>&);
template BestCandidate<double> run_search(const ExactPlanProblem&, Index, int, Search<double>&, SearchMemory<double>&,
                                          PlanResult<double>&);
template void choose_mean(const PlanProblem&, int, const BestCandidate<float>&, SearchMemory<float>&,
                          PlanResult<float>&);
template void choose_mean(const ExactPlanProblem&, int, const BestCandidate<double>&, SearchMemory<double>&,
                          PlanResult<double>&);
template void choose_best(const PlanProblem&, int, const BestCandidate<float>&, SearchMemory<float>&,
                          PlanResult<float>&);
template void choose_best(const ExactPlanProblem&, int, const BestCandidate<double>&, SearchMemory<double>&,
                          PlanResult<double>&);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
