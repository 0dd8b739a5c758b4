#pragma once

#include <Eigen/Core>
#include <functional>

#include "dynaplan/core/level.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The value of a function at a point, and its gradient, which is of the right size already. One that is not finite is
/// worse than any other.
using Objective = std::function<double(const Eigen::VectorXd& at, Eigen::VectorXd& gradient)>;

struct Minimum {
  Eigen::VectorXd at;
  double value;
};

struct QuasiNewtonSettings {
  int max_iterations = 100;
  double max_gradient = 1e-4;  // where every entry of the gradient is at most that, it ends
  double min_progress = 1e-9;  // or where so little, or less, was gained, relative to 1 + |value|
  double max_step = 2.0;       // of any entry at the first point that a line search tries
};

/// A local minimum of a smooth function of few numbers, from `start`, where it is finite: BFGS with a line search by
/// bisection for the weak Wolfe conditions (Nocedal & Wright 2006, algorithm 6.1; Lewis & Overton 2013, algorithm 2.6).
/// Never worse than the start.
Minimum minimise(const Objective& objective, Eigen::VectorXd start, const QuasiNewtonSettings& settings = {});

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
