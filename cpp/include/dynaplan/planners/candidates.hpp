#pragma once

#include <vector>

#include "dynaplan/planners/planner.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Writes one block of candidates: `first` is the first one's number, `actions` the (H * A, K) tile to fill.
using CandidateFill = void (*)(const void* context, Index first, Block<float> actions);

/// A population of action sequences, kept in blocks of lanes, and its returns. Reserved once, reused every iteration.
class Candidates {
 public:
  /// Makes room for `count` sequences of `problem`; does nothing if there is enough.
  void prepare(const PlanProblem& problem, Index count, Index horizon);

  /// Fills (in parallel) and scores all candidates; a return that is not finite becomes -infinity. Returns how many
  /// were not finite.
  template <class Fill>
  Index evaluate(const PlanProblem& problem, std::uint32_t iteration, const Fill& fill) {
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

  /// Evaluates one sequence alone, for its trajectory and return.
  void evaluate_result(const PlanProblem& problem, PlanResult& result);

 private:
  Index evaluate(const PlanProblem& problem, std::uint32_t iteration, const void* context, CandidateFill fill);
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
  std::vector<float> trajectories_;  // (count, H + 1, S), only for a TrajectoryScore
  std::vector<float> sequences_;     // (count, H, A), likewise
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
