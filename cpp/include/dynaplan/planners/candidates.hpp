#pragma once

#include <atomic>
#include <vector>

#include "dynaplan/core/uninitialised.hpp"
#include "dynaplan/planners/planner.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Writes one block of candidates: `first` is the first one's number, `actions` the (H * A, K) tile to fill. The
/// workspace has room for another such tile.
using CandidateFill = void (*)(const void* context, Index first, Block<float> actions, Workspace& workspace);

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

/// A population of action sequences, kept in blocks of lanes, and its returns. Reserved once, reused every iteration.
class Candidates {
 public:
  /// Forgets how long the blocks of the plan before took.
  void begin_plan() { slowest_ = Clock::duration::zero(); }

  /// Makes room for `count` sequences of `problem`; does nothing if there is enough.
  void prepare(const PlanProblem& problem, Index count, Index horizon);

  /// Fills (in parallel) and scores all candidates; a return that is not finite becomes -infinity. Where all that are
  /// finite are rejected, minus its violation takes the place of each one's return. A block begins only
  /// if it can end, and the result be evaluated, before the deadline, going by the slowest block so far; but for the
  /// first of a plan, so that there is always one to go by.
  template <class Fill>
  Evaluated evaluate(const PlanProblem& problem, std::uint32_t iteration, const Fill& fill) {
    const auto call = [](const void* context, Index first, Block<float> actions, Workspace& workspace) {
      (*static_cast<const Fill*>(context))(first, actions, workspace);
    };
    return evaluate(problem, iteration, &fill, call);
  }

  /// Whether there is time for another block and the result.
  bool in_time(const PlanProblem& problem) const;

  /// The actions of the best `elites` candidates, (elites, H * A), ordered by the candidates' numbers.
  const float* select(Index elites);

  /// The best `count` of the elites that `select` took, best first, to `out` (count, H * A).
  void copy_best(Index count, float* out);

  /// The average of all sequences by `weights` (count) to `out` (H * A); in a fixed order.
  /// `interrupt` ends it early.
  void average(const float* weights, const Interrupt* interrupt, float* out) const;

  /// Takes offset + the product of each sequence with `price` (H * A) from its entry of `values` (count).
  void subtract_linear(const float* price, float offset, float* values) const;

  /// The best candidate of the last `evaluate`, ties to the lowest number.
  Index best() const;

  Index count() const { return count_; }
  const float* totals() const { return totals_.data(); }
  /// Writes the actions of candidate `candidate` to `out` (H * A).
  void copy_actions(Index candidate, float* out) const;

  /// The return of one sequence (H * A) alone, on the draws of `iteration`. Overwrites the population.
  double value_of(const PlanProblem& problem, std::uint32_t iteration, const std::vector<float>& sequence);

  /// Writes the mean trajectory of the result's actions, and their return on the draws of `iteration`. Likewise.
  void evaluate_result(const PlanProblem& problem, std::uint32_t iteration, PlanResult& result);

 private:
  Evaluated evaluate(const PlanProblem& problem, std::uint32_t iteration, const void* context, CandidateFill fill);
  Block<float> spread_sequence(const std::vector<float>& sequence);
  void roll_block(const PlanProblem& problem, const Stream& stream, Block<float> actions, Index first, Index count,
                  Workspace& workspace);
  void prepare_scores(const PlanProblem& problem, Index count);
  void keep_trajectories(const PlanProblem& problem, const BlockRollout<float>& block, Index first, Index count);
  void keep_end(const PlanProblem& problem, const BlockRollout<float>& block, Index first, Index count);
  void score_kept(const PlanProblem& problem, Index count);
  Evaluated rank_last();
  void rank_by_violation();
  bool is_rejected(Index candidate) const {
    return !violations_.empty() && violations_[static_cast<std::size_t>(candidate)] > 0.0F;
  }
  void took(Clock::time_point begin);
  std::size_t tile_offset(Index block) const {
    return static_cast<std::size_t>(block * horizon_ * action_dim_ * lanes_);
  }
  Block<float> tile(Index block) {
    return {actions_.data() + tile_offset(block), horizon_ * action_dim_, lanes_, lanes_};
  }

  Index count_ = 0;
  Index horizon_ = 0;
  Index state_dim_ = 0;
  Index action_dim_ = 0;
  Index lanes_ = 0;
  int threads_ = 1;
  UninitialisedVector<float> actions_;  // blocks of (H * A, K)
  UninitialisedVector<float> totals_;
  UninitialisedVector<float> violations_;  // empty where nothing is rejected
  std::vector<std::uint64_t> ranking_;
  std::vector<float> elite_actions_;
  Index selected_ = 0;  // of `ranking_`, whose first entries are then their numbers
  std::vector<Workspace> workspaces_;
  std::vector<char> late_;                  // (blocks) whether there was no time for it
  std::atomic<Clock::duration> slowest_{};  // block of this plan
  // Only where all candidates are scored at once, with each one's P particles one after another.
  std::vector<float> particle_totals_;      // (count, P)
  std::vector<float> particle_violations_;  // (count, P), only for a TrajectoryScore
  // For a TrajectoryScore:
  std::vector<float> trajectories_;        // (count, P, H + 1, S)
  std::vector<float> sequences_;           // (count, P, H, A)
  std::vector<float> steps_within_limit_;  // (count, P), empty without a disagreement limit
  // For a TerminalValue:
  std::vector<float> end_states_;   // (count, P, S)
  std::vector<float> end_weights_;  // (count, P)
  std::vector<float> end_values_;   // (count, P)
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
