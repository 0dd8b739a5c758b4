#pragma once

#include <vector>

#include "dynaplan/planners/nominal_trajectory.hpp"
#include "dynaplan/rewards/box_clearance.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Which face of a box each step of a plan must stay beyond. The distance from a box has no derivatives at its edges
/// and corners, nor half-way between two faces inside it; to be beyond one of its faces is a smooth constraint, and who
/// keeps it stays outside the box. Only where a margin rounds the corners off, and a point is near one, it is the
/// distance itself that counts.
class ObstacleFaces {
 public:
  static constexpr Index kDistance = -1;  // no face
  static constexpr Index kIgnored = -2;   // as if there were no box

  /// Takes the constraints of a problem that keep a state outside a box; none has a face before one is chosen.
  void prepare(const ExactPlanProblem& problem, Index horizon);
  bool is_empty() const { return is_empty_; }
  /// Of a constraint; 0 where it is something else.
  Index count(Index constraint) const;
  Index face(Index constraint, Index step) const { return faces_[place(constraint, step)]; }

  void set(Index constraint, Index step, Index face) { faces_[place(constraint, step)] = face; }

  /// By how much a step lacks to be beyond its face.
  double lack(const NominalTrajectory& trajectory, Index constraint, Index step) const;
  /// The same with its derivatives by the step's variables.
  void expand(const StepVariables<double>& step, Index constraint, RewardExpansion<double>& out) const;

  /// The faces of a box that a trajectory leads through, from the one that it would have to move least to be beyond;
  /// none of one that it does not enter.
  std::vector<Index> ways_past(const NominalTrajectory& trajectory, Index constraint) const;
  /// As if there were no boxes, until faces are chosen.
  void ignore();
  /// Takes for each step the face that it is furthest beyond; inside the box `face`, or the nearest.
  void choose(const NominalTrajectory& trajectory, Index constraint, Index face);
  /// Takes another face for one step, if that is beyond one.
  bool turn(const NominalTrajectory& trajectory, Index constraint, Index step);

 private:
  using Box = BoxClearance<double>;

  std::size_t place(Index constraint, Index step) const {
    return static_cast<std::size_t>(constraint * horizon_ + step);
  }
  double margin(Index constraint) const { return boxes_[static_cast<std::size_t>(constraint)]->margin(); }
  double lack(const NominalTrajectory& trajectory, Index constraint, Index step, Index face) const;
  bool is_rounded(const NominalTrajectory& trajectory, Index constraint, Index step) const;

  Index state_dim_ = 0;
  Index horizon_ = 0;
  bool is_empty_ = true;
  std::vector<const Box*> boxes_;  // of each constraint, null where it is none
  std::vector<Index> faces_;       // (constraints, H)
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
