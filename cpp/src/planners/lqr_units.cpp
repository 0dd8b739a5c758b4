#include "dynaplan/planners/lqr_units.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;
using Exponents = Eigen::VectorXi;

// Units closer than this to each other, or to the problem's own, are as good.
constexpr double kLittle = 12.0;
constexpr double kNothing = -std::numeric_limits<double>::infinity();

template <class Entries>
auto logarithms_of(const Entries& entries) {
  return entries.unaryExpr([](double entry) { return std::log2(std::abs(entry)); });  // of 0: kNothing
}

// The product of a matrix and a vector where + is max and * is +.
Vector strongest(const Matrix& matrix, const Vector& from) {
  Vector result(matrix.rows());
  for (Index i = 0; i < result.size(); ++i) result(i) = (matrix.row(i).transpose() + from).maxCoeff();
  return result;
}

// What `start` grows to along paths.
Vector along_paths(const Matrix& step, Vector start) {
  for (Index length = 1; length < start.size(); ++length) start = start.cwiseMax(strongest(step, start));
  return start;
}

// The largest mean over the steps of a cycle (Karp 1978); kNothing without cycles.
double largest_cycle_mean(const Matrix& step) {
  const Index size = step.rows();
  Matrix by_length(size, size + 1);
  by_length.col(0).setZero();
  for (Index length = 1; length <= size; ++length) {
    by_length.col(length) = strongest(step, by_length.col(length - 1));
  }
  double largest = kNothing;
  for (Index i = 0; i < size; ++i) {
    if (by_length(i, size) == kNothing) continue;
    double smallest = std::numeric_limits<double>::infinity();
    for (Index length = 0; length < size; ++length) {
      const double mean = (by_length(i, size) - by_length(i, length)) / static_cast<double>(size - length);
      smallest = std::min(smallest, mean);
    }
    largest = std::max(largest, smallest);
  }
  return largest;
}

// Units of states by what a state is worth and how far actions move it. What hardly counts at all may be rounding, and
// then it must not set the unit: one as close as may be to the problem's own does.
Vector balanced(const Vector& worth, const Vector& moved) {
  constexpr double kWeakest = -10.0;
  const Vector both = 0.5 * (moved + worth);
  const double most = both.maxCoeff() == kNothing ? 0.0 : both.maxCoeff();
  Vector units(worth.size());
  for (Index i = 0; i < units.size(); ++i) {
    if (worth(i) == kNothing && moved(i) == kNothing) {
      units(i) = 0.0;
    } else if (moved(i) == kNothing) {
      units(i) = most - worth(i);
    } else if (worth(i) == kNothing) {
      units(i) = moved(i) - most;
    } else if (both(i) >= most + kWeakest) {
      units(i) = 0.5 * (moved(i) - worth(i));
    } else {
      const double weakest = most + kWeakest;
      units(i) = std::clamp(0.0, moved(i) - weakest, weakest - worth(i));
    }
  }
  return units;
}

Exponents settled(const Vector& units) {
  const double low = units.minCoeff();
  const double high = units.maxCoeff();
  if (high - low > kLittle) return units.array().round().cast<int>();
  const double middle = 0.5 * (low + high);
  return Exponents::Constant(units.size(), std::abs(middle) > kLittle ? static_cast<int>(std::round(middle)) : 0);
}

Matrix scaled(const Matrix& matrix, const Exponents& rows, const Exponents& columns) {
  Matrix result(matrix.rows(), matrix.cols());
  for (Index j = 0; j < matrix.cols(); ++j) {
    for (Index i = 0; i < matrix.rows(); ++i) result(i, j) = std::ldexp(matrix(i, j), rows(i) + columns(j));
  }
  return result;
}

Vector scaled(const Vector& vector, const Exponents& exponents) {
  return scaled(Matrix(vector), exponents, Exponents::Zero(1));
}

}  // namespace

LqrUnits LqrUnits::balancing(const RiccatiProblem& problem) {
  Matrix step = logarithms_of(problem.a);
  step.diagonal().setConstant(kNothing);  // the same in all units
  step.array() -= std::max(0.0, largest_cycle_mean(step));
  const Matrix effect = logarithms_of(problem.b);
  const Vector worth = along_paths(step.transpose(), 0.5 * logarithms_of(problem.q.diagonal()));
  Vector actions = (0.5 * logarithms_of(problem.r.diagonal())).cwiseMax(strongest(effect.transpose(), worth));
  for (double& unit : actions) unit = unit == kNothing ? 0.0 : -unit;
  const Vector moved = along_paths(step, strongest(effect, actions));
  LqrUnits units;
  units.state = settled(balanced(worth, moved));
  units.action = settled(actions);
  return units;
}

RiccatiProblem LqrUnits::enter(const RiccatiProblem& problem) const {
  return {scaled(problem.a, -state, state), scaled(problem.b, -state, action), enter_value(problem.q),
          scaled(problem.r, action, action), scaled(problem.n, state, action)};
}

Vector LqrUnits::enter_state(const Vector& values) const { return scaled(values, -state); }
Vector LqrUnits::enter_state_slope(const Vector& slope) const { return scaled(slope, state); }
Vector LqrUnits::enter_action_slope(const Vector& slope) const { return scaled(slope, action); }
Matrix LqrUnits::enter_value(const Matrix& value) const { return scaled(value, state, state); }

Vector LqrUnits::leave_action(const Vector& values) const { return scaled(values, action); }
Vector LqrUnits::leave_state_slope(const Vector& slope) const { return scaled(slope, -state); }
Matrix LqrUnits::leave_value(const Matrix& value) const { return scaled(value, -state, -state); }
Matrix LqrUnits::leave_gain(const Matrix& gain) const { return scaled(gain, action, -state); }

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
