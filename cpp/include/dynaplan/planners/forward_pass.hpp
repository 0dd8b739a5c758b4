#pragma once

#include <vector>

#include "dynaplan/planners/backward_pass.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Rolls out several trajectories at once: open loop where a search begins, and a policy to several shares of its
/// changes where it continues. What is best becomes the nominal trajectory.
class ForwardPass {
 public:
  /// Trajectories that are rolled out at once.
  static constexpr Index kAtOnce = 8;

  /// Makes room; does nothing if there is enough.
  void prepare(const ExactPlanProblem& problem, Index horizon);

  /// Rolls out the warm start, the middle of the bounds, no action at all and the sequences that the problem carries,
  /// and leaves the best in `nominal`; the first of them if none is finite. Returns how many there were, and how many
  /// were not finite.
  struct Count {
    Index candidates = 0;
    Index non_finite = 0;
  };
  Count start(const ExactPlanProblem& problem, const AddedCosts& added, NominalTrajectory& nominal);

  /// Rolls out the first `count` lanes of `actions`.
  Count roll_out(const ExactPlanProblem& problem, Index count) { return roll_out(problem, {}, nullptr, count); }
  /// The actions of all lanes, (H * A, kAtOnce).
  Block<double> actions() { return {actions_.data(), horizon_ * whole_.action_dim, kAtOnce, kAtOnce}; }
  /// The return of a candidate of the last call: -infinity where it is not finite.
  double total(Index candidate) const { return totals_[static_cast<std::size_t>(candidate)]; }

  /// Rolls out `policy` with the shares `largest`, half of it, a quarter, ... of its changes, at most kAtOnce of them.
  Count follow(const ExactPlanProblem& problem, const AddedCosts& added, const BackwardPass& policy,
               const NominalTrajectory& nominal, double largest, Index count);
  /// Rolls out the actions of a trajectory, made to keep the limits of their rates and accelerations to the last bit.
  Count limit(const ExactPlanProblem& problem, const AddedCosts& added, const NominalTrajectory& nominal);
  double share(Index candidate) const { return shares_[candidate]; }
  /// The best candidate of the last call, and its return: -infinity where none is finite.
  Index best() const { return best_; }
  double best_total() const { return totals_[static_cast<std::size_t>(best_)]; }
  /// The trajectory of the largest return, of all that were rolled out since `prepare`, that keeps the limits charged
  /// for.
  const NominalTrajectory& best_kept() const { return kept_; }
  /// The best candidate becomes the nominal trajectory; or any other, of `candidate`.
  void accept(const ExactPlanProblem& problem, NominalTrajectory& nominal) { take(problem, best_, nominal); }
  void take(const ExactPlanProblem& problem, Index candidate, NominalTrajectory& trajectory);

 private:
  class Follower;

  void write_start(const ExactPlanProblem& problem, Index number, Index lane);
  Count roll_out(const ExactPlanProblem& problem, const AddedCosts& added, const ActionFeedback<double>* feedback,
                 Index count);
  void score(const ExactPlanProblem& problem, Index count);
  void add_terminal_value(const TerminalValue<double>& value, const RolloutEnd<double>& end, Index count);
  void copy(Index candidate, NominalTrajectory& trajectory) const;
  double charge(const ExactPlanProblem& problem, const AddedCosts& added, Index candidate);

  WholeState whole_;
  Index horizon_ = 0;
  Index best_ = 0;
  RolloutProblem<double> rollout_;
  double shares_[kAtOnce] = {};
  std::vector<double, Eigen::aligned_allocator<double>> actions_;     // (H * A, kAtOnce)
  std::vector<double, Eigen::aligned_allocator<double>> trajectory_;  // (rows, kAtOnce)
  std::vector<double, Eigen::aligned_allocator<double>> totals_;      // (kAtOnce)
  double values_[kAtOnce] = {};                                       // the returns alone
  std::vector<double> paths_;                                         // (kAtOnce, H + 1, S), only for a score
  std::vector<double> sequences_;                                     // (kAtOnce, H, A), likewise
  std::vector<double> end_states_;                                    // (kAtOnce, S), only for a terminal value
  std::vector<double> periods_;                                       // (S), 0 of a state that is no angle
  NominalTrajectory candidate_;
  NominalTrajectory kept_;
  Workspace workspace_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
