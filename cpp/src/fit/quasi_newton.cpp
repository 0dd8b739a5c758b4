#include "dynaplan/fit/quasi_newton.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

struct Point {
  Eigen::VectorXd at;
  Eigen::VectorXd gradient;
  double value = std::numeric_limits<double>::infinity();
};

Point evaluated(const Objective& objective, Eigen::VectorXd at) {
  Point point{std::move(at), {}};
  point.gradient = Eigen::VectorXd::Zero(point.at.size());
  point.value = objective(point.at, point.gradient);
  if (!std::isfinite(point.value) || !point.gradient.allFinite()) {
    point.value = std::numeric_limits<double>::infinity();
  }
  return point;
}

// The best point along `direction` that a search for the weak Wolfe conditions looks at; the start, if none is better.
Point line_search(const Objective& objective, const Point& start, const Eigen::VectorXd& direction, double step) {
  constexpr double kDecrease = 1e-4;
  constexpr double kCurvature = 0.9;
  constexpr int kMaxTrials = 25;
  const double slope = start.gradient.dot(direction);
  double low = 0.0;
  double high = std::numeric_limits<double>::infinity();
  Point best = start;
  for (int trial = 0; trial < kMaxTrials; ++trial) {
    Point point = evaluated(objective, start.at + step * direction);
    const bool is_low_enough = point.value <= start.value + kDecrease * step * slope;
    const bool is_flat_enough = point.gradient.dot(direction) >= kCurvature * slope;
    if (point.value < best.value) best = point;
    if (!is_low_enough) {
      high = step;
    } else if (!is_flat_enough) {
      low = step;
    } else {
      return point;
    }
    step = std::isfinite(high) ? 0.5 * (low + high) : 2.0 * low;
  }
  return best;
}

// The inverse of the Hessian after a step, from how the gradient has changed along it.
void update_inverse(const Eigen::VectorXd& moved, const Eigen::VectorXd& change, bool is_first,
                    Eigen::MatrixXd& inverse) {
  const double curvature = moved.dot(change);
  if (!(curvature > 1e-12 * moved.norm() * change.norm())) return;
  if (is_first) inverse = curvature / change.squaredNorm() * Eigen::MatrixXd::Identity(moved.size(), moved.size());
  const Eigen::VectorXd turned = inverse * change;
  const double weight = (1.0 + change.dot(turned) / curvature) / curvature;
  inverse += weight * moved * moved.transpose() - (turned * moved.transpose() + moved * turned.transpose()) / curvature;
}

}  // namespace

Minimum minimise(const Objective& objective, Eigen::VectorXd start, const QuasiNewtonSettings& settings) {
  Point here = evaluated(objective, std::move(start));
  const Eigen::MatrixXd identity = Eigen::MatrixXd::Identity(here.at.size(), here.at.size());
  Eigen::MatrixXd inverse = identity;
  bool is_fresh = true;  // nothing is known of the curvature
  for (int iteration = 0; iteration < settings.max_iterations; ++iteration) {
    if (here.gradient.cwiseAbs().maxCoeff() <= settings.max_gradient) break;
    Eigen::VectorXd direction = -inverse * here.gradient;
    if (!(direction.dot(here.gradient) < 0.0)) {
      inverse = identity;
      is_fresh = true;
      direction = -here.gradient;
    }
    const double longest = direction.cwiseAbs().maxCoeff();
    const double allowed = is_fresh ? 0.25 * settings.max_step : settings.max_step;
    Point next = line_search(objective, here, direction, std::min(1.0, allowed / longest));
    const double gained = here.value - next.value;
    const bool has_ended = !(gained > settings.min_progress * (1.0 + std::abs(next.value)));
    if (has_ended && is_fresh) {
      if (gained > 0.0) here = std::move(next);
      break;
    }
    if (has_ended) {  // the curvature may be out of date
      inverse = identity;
    } else {
      update_inverse(next.at - here.at, next.gradient - here.gradient, is_fresh, inverse);
    }
    is_fresh = has_ended;
    if (gained > 0.0) here = std::move(next);
  }
  return {std::move(here.at), here.value};
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
