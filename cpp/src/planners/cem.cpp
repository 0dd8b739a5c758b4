#include "dynaplan/planners/cem.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "dynaplan/core/error.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

float half_width(const PlanProblem& problem, Index dim) {
  return static_cast<float>(0.5 * (problem.action_high[dim] - problem.action_low[dim]));
}

void start(const CemSettings& settings, const PlanProblem& problem, CemWorkspace& workspace) {
  const Index action_dim = problem.rollout.dynamics->action_dim();
  const Index size = settings.horizon * action_dim;
  workspace.mean.resize(at(size));
  workspace.std.resize(at(size));
  workspace.elite_mean.resize(at(size));
  workspace.squares.resize(at(size));
  workspace.best.resize(at(size));
  for (Index row = 0; row < size; ++row) {
    workspace.mean[at(row)] = static_cast<float>(problem.start_action(row));
    workspace.std[at(row)] = static_cast<float>(settings.initial_std) * half_width(problem, row % action_dim);
  }
}

// Candidate 0 is the mean itself: the plan of the last call is never worse off for being refined.
void fill_candidates(const PlanProblem& problem, const CemWorkspace& workspace, std::uint32_t iteration, Index first,
                     Block<float> actions) {
  const Index action_dim = problem.rollout.dynamics->action_dim();
  Stream stream = problem.stream;
  stream.iteration = iteration;
  fill_normal(stream, Purpose::kActions, first, 0, actions);
  for (Index row = 0; row < actions.dim; ++row) {
    const float mean = workspace.mean[at(row)];
    const float std = workspace.std[at(row)];
    const auto low = static_cast<float>(problem.action_low[row % action_dim]);
    const auto high = static_cast<float>(problem.action_high[row % action_dim]);
    float* const value = actions.row(row);
    for (Index k = 0; k < actions.lanes; ++k) value[k] = std::min(std::max(mean + std * value[k], low), high);
    if (first == 0) value[0] = std::min(std::max(mean, low), high);
  }
}

// The mean and standard deviation (over n, as the maximum-likelihood fit has it) of the elites, smoothed. Plain loops:
// Eigen would treat the first entries apart, by how the memory happens to be aligned, and round them differently.
void refit(const CemSettings& settings, const PlanProblem& problem, Index elites, CemWorkspace& workspace) {
  const float* const actions = workspace.candidates.select(elites);
  const auto size = static_cast<Index>(workspace.mean.size());
  const auto keep = static_cast<float>(settings.smoothing);
  const float share = 1.0F / static_cast<float>(elites);
  float* const elite_mean = workspace.elite_mean.data();
  float* const squares = workspace.squares.data();
  std::fill_n(elite_mean, size, 0.0F);
  std::fill_n(squares, size, 0.0F);
  for (Index e = 0; e < elites; ++e) {
    for (Index row = 0; row < size; ++row) elite_mean[row] += share * actions[e * size + row];
  }
  for (Index e = 0; e < elites; ++e) {
    for (Index row = 0; row < size; ++row) {
      const float difference = actions[e * size + row] - elite_mean[row];
      squares[row] += share * difference * difference;
    }
  }
  const Index action_dim = problem.rollout.dynamics->action_dim();
  for (Index row = 0; row < size; ++row) {
    float& mean = workspace.mean[at(row)];
    float& std = workspace.std[at(row)];
    const float floor = static_cast<float>(settings.min_std) * half_width(problem, row % action_dim);
    mean += (1.0F - keep) * (elite_mean[row] - mean);
    std += (1.0F - keep) * (std::sqrt(squares[row]) - std);
    std = std::max(std, floor);
  }
}

void keep_best(const Candidates& candidates, float& best_total, PlanResult& result) {
  const Index best = candidates.best();
  const float total = candidates.totals()[best];
  if (!(total > best_total)) return;
  best_total = total;
  candidates.copy_actions(best, result.actions.data());
}

// The mean after the last refit is a candidate too, and often the best one: its value is not known before now.
void choose_result(const CemSettings& settings, const PlanProblem& problem, float best_total, CemWorkspace& workspace,
                   PlanResult& result) {
  const auto draws = static_cast<std::uint32_t>(settings.iterations);  // that no candidate has seen
  const Index action_dim = problem.rollout.dynamics->action_dim();
  workspace.best.swap(result.actions);
  result.actions.resize(workspace.best.size());
  for (Index row = 0; row < static_cast<Index>(result.actions.size()); ++row) {
    result.actions[at(row)] =
        std::clamp(workspace.mean[at(row)], static_cast<float>(problem.action_low[row % action_dim]),
                   static_cast<float>(problem.action_high[row % action_dim]));
  }
  workspace.candidates.evaluate_result(problem, draws, result);
  if (settings.returns_mean || !std::isfinite(best_total)) return;
  // Drawn returns flatter the candidate that drew well: it is judged anew, on the draws of the mean.
  const bool is_drawn = problem.rollout.particles.propagation != Propagation::kMean;
  const double best_value =
      is_drawn ? workspace.candidates.value_of(problem, draws, workspace.best) : static_cast<double>(best_total);
  if (std::isfinite(result.value) && !(best_value > result.value)) return;
  workspace.best.swap(result.actions);
  workspace.candidates.evaluate_result(problem, draws, result);
}

}  // namespace

void CemSettings::validate() const {
  require_at_least_one("horizon", horizon);
  require_at_least_one("candidates", candidates);
  require_at_least_one("iterations", iterations);
  if (elites < 1 || elites > candidates) {
    throw ValueError("elites: got " + std::to_string(elites) +
                     ", must be from 1 to candidates = " + std::to_string(candidates));
  }
  if (!(smoothing >= 0.0 && smoothing < 1.0)) {
    throw ValueError("smoothing: got " + std::to_string(smoothing) + ", must be in [0, 1)");
  }
  if (!(initial_std > 0.0 && std::isfinite(initial_std))) {
    throw ValueError("initial_std: got " + std::to_string(initial_std) + ", must be finite and above 0");
  }
  if (!(min_std >= 0.0 && min_std <= initial_std)) {
    throw ValueError("min_std: got " + std::to_string(min_std) + ", must be from 0 to initial_std");
  }
}

void plan_cem(const CemSettings& settings, const PlanProblem& problem, CemWorkspace& workspace, PlanResult& result) {
  settings.validate();
  problem.validate(settings.horizon);
  Candidates& candidates = workspace.candidates;
  candidates.prepare(problem, settings.candidates, settings.horizon);
  result.resize(problem, settings.horizon);
  start(settings, problem, workspace);
  result.non_finite = 0;
  result.rejected = 0;
  result.candidates = 0;
  float best_total = -std::numeric_limits<float>::infinity();
  for (int iteration = 0; iteration < settings.iterations; ++iteration) {
    const auto number = static_cast<std::uint32_t>(iteration);
    const RankedLast last = candidates.evaluate(problem, number, [&](Index first, Block<float> actions) {
      fill_candidates(problem, workspace, number, first, actions);
    });
    result.non_finite += last.non_finite;
    result.rejected += last.rejected;
    result.candidates += settings.candidates;
    keep_best(candidates, best_total, result);
    // Where fewer candidates are finite than there are elites, only these are fitted: a diverged one is never elite.
    const Index elites = std::min(settings.elites, settings.candidates - last.total());
    if (elites > 0) refit(settings, problem, elites, workspace);
  }
  result.iterations = settings.iterations;
  const bool any_finite = result.non_finite + result.rejected < result.candidates;
  result.status = any_finite ? PlanStatus::kIterations : PlanStatus::kNoFiniteCandidate;
  choose_result(settings, problem, best_total, workspace, result);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
