#include "dynaplan/planners/obstacle_faces.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

void ObstacleFaces::prepare(const ExactPlanProblem& problem, Index horizon) {
  state_dim_ = problem.rollout.dynamics->state_dim();
  horizon_ = horizon;
  is_empty_ = true;
  boxes_.clear();
  for (const Reward<double>* const function : problem.rollout.constraints) {
    const auto* const box = dynamic_cast<const Box*>(function);
    boxes_.push_back(box != nullptr && box->is_outside() ? box : nullptr);
    is_empty_ = is_empty_ && boxes_.back() == nullptr;
  }
  faces_.assign(boxes_.size() * static_cast<std::size_t>(horizon), kDistance);
}

Index ObstacleFaces::count(Index constraint) const {
  const Box* const box = boxes_[static_cast<std::size_t>(constraint)];
  return box != nullptr ? box->faces() : 0;
}

double ObstacleFaces::lack(const NominalTrajectory& trajectory, Index constraint, Index step, Index face) const {
  const Box& box = *boxes_[static_cast<std::size_t>(constraint)];
  return box.lack(trajectory.state(box.at() == At::kState ? step : step + 1, state_dim_), step, face);
}

double ObstacleFaces::lack(const NominalTrajectory& trajectory, Index constraint, Index step) const {
  if (face(constraint, step) == kIgnored) return std::numeric_limits<double>::lowest();
  return lack(trajectory, constraint, step, face(constraint, step));
}

void ObstacleFaces::expand(const StepVariables<double>& step, Index constraint, RewardExpansion<double>& out) const {
  boxes_[static_cast<std::size_t>(constraint)]->expand_face(step, face(constraint, step.step), out);
}

std::vector<Index> ObstacleFaces::ways_past(const NominalTrajectory& trajectory, Index constraint) const {
  const Index faces = count(constraint);
  std::vector<double> deepest(static_cast<std::size_t>(faces), 0.0);
  bool enters = false;
  for (Index step = 0; step < trajectory.length && faces > 0; ++step) {
    std::vector<double> lacks;
    lacks.reserve(static_cast<std::size_t>(faces));
    for (Index face = 0; face < faces; ++face) lacks.push_back(lack(trajectory, constraint, step, face));
    if (!(*std::min_element(lacks.begin(), lacks.end()) > margin(constraint))) continue;
    enters = true;
    for (std::size_t i = 0; i < lacks.size(); ++i) deepest[i] = std::max(deepest[i], lacks[i]);
  }
  std::vector<Index> ways(enters ? deepest.size() : 0);
  std::iota(ways.begin(), ways.end(), Index{0});
  std::stable_sort(ways.begin(), ways.end(), [&](Index one, Index other) {
    return deepest[static_cast<std::size_t>(one)] < deepest[static_cast<std::size_t>(other)];
  });
  return ways;
}

// Near a corner, of which there is one more side for each face that the point is beyond.
bool ObstacleFaces::is_rounded(const NominalTrajectory& trajectory, Index constraint, Index step) const {
  Index beyond = 0;
  for (Index face = 0; face < count(constraint); ++face) {
    if (lack(trajectory, constraint, step, face) < margin(constraint)) ++beyond;
  }
  return margin(constraint) > 0.0 && beyond > 1;
}

void ObstacleFaces::ignore() {
  for (Index constraint = 0; constraint < static_cast<Index>(boxes_.size()); ++constraint) {
    if (count(constraint) > 0) std::fill_n(faces_.data() + place(constraint, 0), horizon_, kIgnored);
  }
}

void ObstacleFaces::choose(const NominalTrajectory& trajectory, Index constraint, Index face) {
  for (Index step = 0; step < trajectory.length && count(constraint) > 0; ++step) {
    Index& chosen = faces_[place(constraint, step)];
    Index nearest = 0;
    double least = lack(trajectory, constraint, step, 0);
    for (Index other = 1; other < count(constraint); ++other) {
      const double lacks = lack(trajectory, constraint, step, other);
      if (lacks < least) {
        least = lacks;
        nearest = other;
      }
    }
    chosen = least > margin(constraint) && face != kDistance ? face : nearest;
    if (is_rounded(trajectory, constraint, step)) chosen = kDistance;
  }
}

bool ObstacleFaces::turn(const NominalTrajectory& trajectory, Index constraint, Index step) {
  Index& chosen = faces_[place(constraint, step)];
  const Index before = chosen;
  for (Index other = 0; other < count(constraint) && chosen == before; ++other) {
    if (other != before && lack(trajectory, constraint, step, other) <= 0.0) chosen = other;
  }
  if (before != kDistance && is_rounded(trajectory, constraint, step)) chosen = kDistance;
  return chosen != before;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
