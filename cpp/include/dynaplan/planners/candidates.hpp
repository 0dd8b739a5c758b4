#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "dynaplan/core/uninitialised.hpp"
#include "dynaplan/planners/rounding.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Writes one block of candidates: `first` is the first one's number, `actions` the (H * A, K) tile to fill. The
/// workspace has room for another such tile.
template <class T>
using CandidateFill = void (*)(const void* context, Index first, Block<T> actions, Workspace& workspace);

/// What became of a population: candidates that rank last, by why, and those that there was no time for. Where nothing
/// is left but candidates that are rejected, these are ranked by how little they violate.
struct Evaluated {
  Index count = 0;
  Index rejected = 0;
  Index non_finite = 0;
  Index late = 0;

  Index allowed() const { return count - rejected - non_finite - late; }
  Index ranked() const { return allowed() > 0 ? allowed() : rejected; }
};

/// A candidate's place in the ranking as something to sort by: the larger its return the smaller the key, ties by its
/// number. One word where both fit into it.
template <class T>
using RankKey = std::conditional_t<sizeof(T) == 4, std::uint64_t, std::pair<std::uint64_t, std::uint64_t>>;

/// A population of action sequences, kept in blocks of lanes, and its returns. Reserved once, reused every iteration.
template <class T>
class Candidates {
 public:
  /// Forgets how long the blocks of the plan before took. Where there is a deadline and a call of the model costs more
  /// than its lanes do, so that all candidates would be one block, calls of it tell how wide a block may be; likewise
  /// how many candidates a function that scores them may be asked about at once.
  void begin_plan(const PlanProblemOf<T>& problem, Index horizon);

  /// Makes room for `count` sequences of `problem`; does nothing if there is enough.
  void prepare(const PlanProblemOf<T>& problem, Index count, Index horizon);

  /// Fills (in parallel) and scores all candidates; a return that is not finite becomes -infinity. Where all that are
  /// finite are rejected, minus its violation takes the place of each one's return. A block begins only
  /// if it can end, and the result be evaluated, before the deadline, going by the slowest block so far; but for the
  /// first of a plan, so that there is always one to go by. A call of what scores candidates does likewise.
  template <class Fill>
  Evaluated evaluate(const PlanProblemOf<T>& problem, std::uint32_t iteration, const Fill& fill) {
    const auto call = [](const void* context, Index first, Block<T> actions, Workspace& workspace) {
      (*static_cast<const Fill*>(context))(first, actions, workspace);
    };
    return evaluate(problem, iteration, &fill, call);
  }

  /// Whether there is time for another block, for the scores of so many candidates, and for the result.
  bool in_time(const PlanProblemOf<T>& problem, Index scored = 1) const;

  /// The actions of the best `elites` candidates, (elites, H * A), ordered by the candidates' numbers.
  const T* select(Index elites);

  /// The best `count` of the elites that `select` took, best first, to `out` (count, H * A).
  void copy_best(Index count, T* out);

  /// The average of all sequences by `weights` (count) to `out` (H * A); in a fixed order.
  /// `interrupt` ends it early.
  void average(const T* weights, const Interrupt* interrupt, T* out) const;

  /// Takes offset + the product of each sequence with `price` (H * A) from its entry of `values` (count).
  void subtract_linear(const T* price, T offset, T* values) const;

  /// The best candidate of the last `evaluate`, ties to the lowest number.
  Index best() const;

  Index count() const { return count_; }
  const T* totals() const { return totals_.data(); }
  /// Writes the actions of candidate `candidate` to `out` (H * A).
  void copy_actions(Index candidate, T* out) const;

  /// The return of one sequence (H * A) alone, on the draws of `iteration`. Overwrites the population.
  double value_of(const PlanProblemOf<T>& problem, std::uint32_t iteration, const std::vector<T>& sequence);

  /// Writes the mean trajectory of the result's actions, their return on the draws of `iteration`, and what rounding
  /// may change. Likewise.
  void evaluate_result(const PlanProblemOf<T>& problem, std::uint32_t iteration, PlanResult<T>& result);

 private:
  Evaluated evaluate(const PlanProblemOf<T>& problem, std::uint32_t iteration, const void* context,
                     CandidateFill<T> fill);
  Block<T> spread_sequence(const std::vector<T>& sequence);
  Index blocks() const { return (count_ + lanes_ - 1) / lanes_; }
  Index candidates_of(Index block) const { return std::min(lanes_, count_ - block * lanes_); }
  void fill_tile(const PlanProblemOf<T>& problem, Index index, const void* context, CandidateFill<T> fill,
                 Workspace& workspace);
  void share_particles(const PlanProblemOf<T>& problem, const Stream& stream, const void* context,
                       CandidateFill<T> fill);
  void roll_block(const PlanProblemOf<T>& problem, const Stream& stream, Block<T> actions, Index first, Index count,
                  Workspace& workspace, Index particle = -1);
  T* returns_of(Index particle) {
    return particle_returns_.data() + static_cast<std::size_t>(particle) * totals_.size();
  }
  T return_of(const PlanProblemOf<T>& problem, const BlockRollout<T>& block, Index lane);
  void measure_spread(const PlanProblemOf<T>& problem, Index count);
  void prepare_scores(const PlanProblemOf<T>& problem, Index count);
  void keep_trajectories(const PlanProblemOf<T>& problem, const BlockRollout<T>& block, Index first, Index count);
  void keep_end(const PlanProblemOf<T>& problem, const BlockRollout<T>& block, Index first, Index count);
  void score_kept(const PlanProblemOf<T>& problem, Index first, Index count);
  void score_in_time(const PlanProblemOf<T>& problem);
  double seconds_to_score(const PlanProblemOf<T>& problem) const;
  Evaluated rank_last();
  void rank_by_violation();
  bool is_rejected(Index candidate) const {
    return !violations_.empty() && violations_[static_cast<std::size_t>(candidate)] > T(0);
  }
  bool is_late(Index candidate) const {
    return candidate >= scored_ || late_[static_cast<std::size_t>(candidate / lanes_)] != 0;
  }
  template <class Run>
  void run_timed(const PlanProblemOf<T>& problem, const Run& run);
  void took(Clock::time_point begin);
  std::size_t tile_offset(Index block) const {
    return static_cast<std::size_t>(block * horizon_ * action_dim_ * lanes_);
  }
  Block<T> tile(Index block) { return {actions_.data() + tile_offset(block), horizon_ * action_dim_, lanes_, lanes_}; }

  Index count_ = 0;
  Index horizon_ = 0;
  Index state_dim_ = 0;
  Index action_dim_ = 0;
  Index lanes_ = 0;
  Index max_lanes_ = 0;  // that a block of this plan may have
  Index scored_ = 0;     // candidates that there was time to score
  int threads_ = 1;
  CandidateSpread<T> spread_;       // only of a problem that is there in float64 too
  UninitialisedVector<T> actions_;  // blocks of (H * A, K)
  UninitialisedVector<T> totals_;
  UninitialisedVector<T> violations_;  // empty where nothing is rejected
  std::vector<RankKey<T>> ranking_;
  std::vector<T> elite_actions_;
  std::vector<Index> selected_;  // their numbers
  std::vector<Workspace> workspaces_;
  Index parts_ = 1;  // that each block is rolled out in: its particles, where threads share them
  UninitialisedVector<T> particle_returns_;  // (P, totals), where they are shared
  std::vector<T> returns_;                   // (P) of one candidate
  std::vector<char> late_particles_;         // (blocks, P)
  std::vector<char> late_;                   // (blocks) whether there was no time for it
  std::atomic<Clock::duration> slowest_{};   // block of this plan
  CallTime score_time_;                      // of one candidate, where a function scores them and time is short
  bool has_scored_ = false;                  // in this plan
  // Only where all candidates are scored at once, with each one's P particles one after another.
  std::vector<T> particle_totals_;      // (count, P)
  std::vector<T> particle_violations_;  // (count, P), only for a TrajectoryScore
  // For a TrajectoryScore:
  std::vector<T> trajectories_;        // (count, P, H + 1, S)
  std::vector<T> sequences_;           // (count, P, H, A)
  std::vector<T> steps_within_limit_;  // (count, P), empty without a disagreement limit
  // For a TerminalValue:
  std::vector<T> end_states_;   // (count, P, S)
  std::vector<T> end_weights_;  // (count, P)
  std::vector<T> end_values_;   // (count, P)
};

extern template class Candidates<float>;
extern template class Candidates<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
