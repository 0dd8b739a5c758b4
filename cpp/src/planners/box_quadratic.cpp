#include "dynaplan/planners/box_quadratic.hpp"

#include <algorithm>
#include <cmath>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// A pivot that has lost all its digits to the rows before it is none.
constexpr double kMinPivot = 1e-14;
constexpr double kMinSlope = 1e-14;  // relative to the terms that it is the sum of
constexpr int kMaxSteps = 100;

}  // namespace

void BoxQuadratic::prepare(Index size) {
  for (Eigen::VectorXd* vector : {&x_, &slope_, &step_, &tried_, &product_}) vector->setZero(size);
  lower_.setZero(size, size);
  free_.reserve(static_cast<std::size_t>(size));
  free_before_.reserve(static_cast<std::size_t>(size));
}

bool BoxQuadratic::solve(const Eigen::MatrixXd& hessian, const Eigen::VectorXd& gradient, const Eigen::VectorXd& low,
                         const Eigen::VectorXd& high) {
  x_.setZero();
  free_.clear();
  for (int attempt = 0; attempt < kMaxSteps; ++attempt) {
    slope_.noalias() = hessian * x_;
    slope_ += gradient;
    const bool changed = find_free(low, high) || attempt == 0;
    if (changed && !factor(hessian)) return false;
    if (free_.empty() || (!changed && is_settled(hessian, gradient))) return true;
    if (!search(hessian, gradient, low, high)) return true;
  }
  return true;
}

// An entry is held where it lies on a bound that the slope pushes it against. Returns whether these are others now.
bool BoxQuadratic::find_free(const Eigen::VectorXd& low, const Eigen::VectorXd& high) {
  free_before_.assign(free_.begin(), free_.end());
  free_.clear();
  for (Index i = 0; i < x_.size(); ++i) {
    const bool held = (x_(i) <= low(i) && slope_(i) > 0.0) || (x_(i) >= high(i) && slope_(i) < 0.0);
    if (!held && low(i) < high(i)) free_.push_back(i);
  }
  return free_ != free_before_;
}

// Cholesky of H on the free entries.
bool BoxQuadratic::factor(const Eigen::MatrixXd& hessian) {
  const auto size = static_cast<Index>(free_.size());
  for (Index j = 0; j < size; ++j) {
    const Index column = free_[static_cast<std::size_t>(j)];
    for (Index i = j; i < size; ++i) {
      double rest = hessian(free_[static_cast<std::size_t>(i)], column);
      for (Index k = 0; k < j; ++k) rest -= lower_(i, k) * lower_(j, k);
      if (i > j) {
        lower_(i, j) = rest / lower_(j, j);
        continue;
      }
      if (!(rest > kMinPivot * std::abs(hessian(column, column))) || !std::isfinite(rest)) return false;
      lower_(j, j) = std::sqrt(rest);
    }
  }
  return true;
}

template <class Vector>
void BoxQuadratic::solve_free(Vector&& values) const {
  const auto size = static_cast<Index>(free_.size());
  const auto at = [&](Index i) -> double& { return values(free_[static_cast<std::size_t>(i)]); };
  for (Index i = 0; i < size; ++i) {
    for (Index k = 0; k < i; ++k) at(i) -= lower_(i, k) * at(k);
    at(i) /= lower_(i, i);
  }
  for (Index i = size - 1; i >= 0; --i) {
    for (Index k = i + 1; k < size; ++k) at(i) -= lower_(k, i) * at(k);
    at(i) /= lower_(i, i);
  }
}

void BoxQuadratic::apply_negative_inverse(Eigen::MatrixXd& matrix) const {
  for (Index column = 0; column < matrix.cols(); ++column) solve_free(matrix.col(column));
  std::size_t next = 0;
  for (Index i = 0; i < matrix.rows(); ++i) {
    const bool is_free = next < free_.size() && free_[next] == i;
    if (is_free) {
      matrix.row(i) *= -1.0;
      ++next;
    } else {
      matrix.row(i).setZero();
    }
  }
}

double BoxQuadratic::value_at(const Eigen::MatrixXd& hessian, const Eigen::VectorXd& gradient,
                              const Eigen::VectorXd& x) {
  product_.noalias() = hessian * x;
  return 0.5 * x.dot(product_) + gradient.dot(x);
}

bool BoxQuadratic::is_settled(const Eigen::MatrixXd& hessian, const Eigen::VectorXd& gradient) const {
  return std::all_of(free_.begin(), free_.end(), [&](Index i) {
    const double size = std::abs(gradient(i)) + hessian.row(i).cwiseAbs().dot(x_.cwiseAbs().transpose());
    return std::abs(slope_(i)) <= kMinSlope * size;
  });
}

// One Newton step on the free entries, shortened until, set back into the box, it gains enough (Armijo 1966). Returns
// false if it gains nothing, which rounding alone can bring about.
bool BoxQuadratic::search(const Eigen::MatrixXd& hessian, const Eigen::VectorXd& gradient, const Eigen::VectorXd& low,
                          const Eigen::VectorXd& high) {
  constexpr double kShare = 0.1;
  constexpr double kShorter = 0.6;
  constexpr int kMaxTrials = 55;  // the last of which is 1e-12 of the step
  step_ = slope_;
  solve_free(step_);
  double promise = 0.0;
  for (const Index i : free_) promise += slope_(i) * step_(i);
  if (!(promise > 0.0)) return false;
  const double before = value_at(hessian, gradient, x_);
  double length = 1.0;
  for (int trial = 0; trial < kMaxTrials; ++trial, length *= kShorter) {
    tried_ = x_;
    for (const Index i : free_) tried_(i) = std::clamp(x_(i) - length * step_(i), low(i), high(i));
    if (before - value_at(hessian, gradient, tried_) >= kShare * length * promise) {
      x_.swap(tried_);
      return true;
    }
  }
  return false;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
