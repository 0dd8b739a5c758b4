#pragma once

#include <limits>
#include <vector>

#include "dynaplan/planners/candidates.hpp"
#include "dynaplan/planners/kept_sequences.hpp"
#include "dynaplan/planners/path_weights.hpp"
#include "dynaplan/planners/search_distribution.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// What a search carries from iteration to iteration; kept between plans for its memory alone.
template <class T>
struct SearchMemory {
  Candidates<T> candidates;
  SearchDistribution<T> distribution;
  KeptSequences<T> kept;
  std::vector<T> best;   // (H * A)
  std::vector<T> start;  // (H * A) the warm start
  T start_total = T(0);  // the return of the first iteration's candidate 0: of the warm start, if there is one
  CandidateNumbers<T> weights;
  std::vector<T> probabilities;  // (H, choices)
  std::vector<T> frequencies;    // (choices)
  std::vector<char> allowed;     // (H, choices) whether they are within the bounds of a step; empty: all are
  std::vector<double> chosen;    // (kept, steps, A) sequences that are brought along, made of such choices
};

/// What distinguishes one sampling planner from another: which candidates it draws, what it learns from their returns.
template <class T>
class Search {
 public:
  virtual ~Search() = default;
  /// How many candidates the iteration draws; those kept come besides.
  virtual Index population(int iteration) const = 0;
  /// Writes one block of candidates, see CandidateFill. In the first iteration candidate 0 is the warm start, if there
  /// is one.
  virtual void draw(int iteration, Index first, Block<T> actions, Workspace& workspace) const = 0;
  /// After all candidates of an iteration have been scored; `ranked` of them rank before the rest, see Evaluated. What
  /// is kept then joins the next iteration.
  virtual void update(int iteration, Index ranked) = 0;
  /// Whether further iterations would change little.
  virtual bool has_settled() const { return false; }
};

/// The best candidate of a search.
template <class T>
struct BestCandidate {
  T total = -std::numeric_limits<T>::infinity();  // its return; minus its violation where none is allowed
  bool allowed = false;

  bool exists() const { return total > -std::numeric_limits<T>::infinity(); }
};

/// Draws, scores and updates, until all iterations are made or the deadline is near. Leaves the best sequence of all in
/// `result.actions`: the one that violates least where none is allowed.
template <class T>
BestCandidate<T> run_search(const PlanProblemOf<T>& problem, Index horizon, int iterations, Search<T>& search,
                            SearchMemory<T>& memory, PlanResult<T>& result);

/// Takes the mean of the distribution for the result; but the warm start if that is worth more, as an average may be
/// worth less than what it is made of, and the best sequence seen where the mean has no finite return.
template <class T>
void choose_mean(const PlanProblemOf<T>& problem, int iterations, const BestCandidate<T>& best, SearchMemory<T>& memory,
                 PlanResult<T>& result);

/// Takes the best sequence seen, which `run_search` left, or the mean of the distribution if that is worth more: it was
/// not known before the last update.
template <class T>
void choose_best(const PlanProblemOf<T>& problem, int iterations, const BestCandidate<T>& best, SearchMemory<T>& memory,
                 PlanResult<T>& result);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
