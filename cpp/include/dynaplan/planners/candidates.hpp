#pragma once

#include <vector>

#include "dynaplan/planners/planner.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Writes one block of candidates: `first` is the first one's number, `actions` the (H * A, K) tile to fill.
using CandidateFill = void (*)(const void* context, Index first, Block<float> actions);

/// Candidates that rank last, by why.
struct RankedLast {
  Index rejected = 0;
  Index non_finite = 0;

  Index total() const { return rejected + non_finite; }
};

/// A population of action sequences, kept in blocks of lanes, and its returns. Reserved once, reused every iteration.
class Candidates {
 public:
  /// Makes room for `count` sequences of `problem`; does nothing if there is enough.
  void prepare(const PlanProblem& problem, Index count, Index horizon);

  /// Fills (in parallel) and scores all candidates; a return that is not finite becomes -infinity.
  template <class Fill>
  RankedLast evaluate(const PlanProblem& problem, std::uint32_t iteration, const Fill& fill) {
    return evaluate(problem, iteration, &fill, [](const void* context, Index first, Block<float> actions) {
      (*static_cast<const Fill*>(context))(first, actions);
    });
  }

  /// The actions of the best `elites` candidates, (elites, H * A), ordered by the candidates' numbers.
  const float* select(Index elites);

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
  RankedLast evaluate(const PlanProblem& problem, std::uint32_t iteration, const void* context, CandidateFill fill);
  Block<float> spread_sequence(const std::vector<float>& sequence);
  void roll_block(const PlanProblem& problem, const Stream& stream, Block<float> actions, Index first, Index count,
                  Workspace& workspace);
  void score_trajectories(const PlanProblem& problem, Index count);
  RankedLast rank_last(const PlanProblem& problem);
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
  std::vector<float, Eigen::aligned_allocator<float>> actions_;  // blocks of (H * A, K)
  std::vector<float, Eigen::aligned_allocator<float>> totals_;
  std::vector<std::uint64_t> ranking_;
  std::vector<float> elite_actions_;
  std::vector<Workspace> workspaces_;
  // Only for a TrajectoryScore, with each candidate's P particles one after another.
  std::vector<float> trajectories_;     // (count, P, H + 1, S)
  std::vector<float> sequences_;        // (count, P, H, A)
  std::vector<float> known_steps_;      // (count, P), empty where all ground is known
  std::vector<float> particle_totals_;  // (count, P)
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
