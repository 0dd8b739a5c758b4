#pragma once

#include <vector>

#include "dynaplan/planners/candidates.hpp"
#include "dynaplan/planners/kept_sequences.hpp"
#include "dynaplan/planners/path_weights.hpp"
#include "dynaplan/planners/search_distribution.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// What a search carries from iteration to iteration; kept between plans for its memory alone.
struct SearchMemory {
  Candidates candidates;
  SearchDistribution distribution;
  KeptSequences kept;
  std::vector<float> best;  // (H * A)
  CandidateNumbers weights;
  std::vector<float> probabilities;  // (H, choices)
  std::vector<float> frequencies;    // (choices)
};

/// What distinguishes one sampling planner from another: which candidates it draws, what it learns from their returns.
class Search {
 public:
  virtual ~Search() = default;
  /// How many candidates the iteration draws; those kept come besides.
  virtual Index population(int iteration) const = 0;
  /// Writes one block of candidates, see CandidateFill.
  virtual void draw(int iteration, Index first, Block<float> actions, Workspace& workspace) const = 0;
  /// After all candidates of an iteration have been scored; `finite` of them have a finite return. What is kept then
  /// joins the next iteration.
  virtual void update(int iteration, Index finite) = 0;
  /// Whether further iterations would change little.
  virtual bool has_settled() const { return false; }
};

/// Draws, scores and updates, until all iterations are made or the deadline is near. Leaves the best sequence of all in
/// `result.actions` and returns its return, -infinity if there is none.
float run_search(const PlanProblem& problem, Index horizon, int iterations, Search& search, SearchMemory& memory,
                 PlanResult& result);

/// Takes the mean of the distribution for the result.
void choose_mean(const PlanProblem& problem, int iterations, SearchMemory& memory, PlanResult& result);

/// Takes the best sequence seen, which `run_search` left with its return, or the mean of the distribution if that is
/// worth more: it was not known before the last update.
void choose_best(const PlanProblem& problem, int iterations, float best_total, SearchMemory& memory,
                 PlanResult& result);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
