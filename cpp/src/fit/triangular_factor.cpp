#include "dynaplan/fit/triangular_factor.hpp"

#include <Eigen/Jacobi>
#include <algorithm>
#include <cmath>
#include <utility>

#include "dynaplan/core/dense.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// Between them squares and their sums neither overflow nor vanish.
constexpr int kLowest = -400;
constexpr int kHighest = 490;

bool is_safe(double size) {
  return size == 0.0 || (size > std::ldexp(1.0, kLowest) && size < std::ldexp(1.0, kHighest));
}

// Powers of two that bring the columns to a size of about 1; all 0 where each is safe as it is.
Eigen::VectorXi exponents_of(const Eigen::MatrixXd& rows) {
  Eigen::VectorXi exponents = Eigen::VectorXi::Zero(rows.cols());
  for (Index j = 0; j < rows.cols(); ++j) {
    const double size = rows.col(j).lpNorm<Eigen::Infinity>();
    if (!is_safe(size) && std::isfinite(size)) exponents(j) = -std::ilogb(size);
  }
  return exponents;
}

void scale_columns(const Eigen::VectorXi& exponents, Eigen::MatrixXd& matrix) {
  for (Index j = 0; j < matrix.cols(); ++j) {
    for (Index i = 0; exponents(j) != 0 && i < matrix.rows(); ++i) {
      matrix(i, j) = std::ldexp(matrix(i, j), exponents(j));
    }
  }
}

}  // namespace

TriangularFactor::TriangularFactor(Index columns) : upper_(Eigen::MatrixXd::Zero(columns, columns)) {}

TriangularFactor::TriangularFactor(Eigen::MatrixXd upper, double rows) : upper_(std::move(upper)), rows_(rows) {}

void TriangularFactor::reduce(const double* rows, Index count, Index stride) {
  const Index columns = upper_.cols();
  const Index kept = rows_ > 0.0 ? columns : 0;
  // Fewer rows than columns are filled up with zeros, so that the factor is always square.
  Eigen::MatrixXd stacked = Eigen::MatrixXd::Zero(std::max(kept + count, columns), columns);
  stacked.topRows(kept) = upper_.topRows(kept);
  stacked.middleRows(kept, count) =
      Eigen::Map<const Eigen::MatrixXd, 0, Eigen::OuterStride<>>(rows, count, columns, Eigen::OuterStride<>(stride));
  const Eigen::VectorXi exponents = exponents_of(stacked);
  scale_columns(exponents, stacked);
  orthogonal_factor(stacked);
  upper_ = stacked.topRows(columns).triangularView<Eigen::Upper>();
  scale_columns(-exponents, upper_);
}

void TriangularFactor::append(ConstBlock<double> block, double count) {
  reduce(block.data, block.lanes, block.stride);
  rows_ += count;
}

void TriangularFactor::rotate_in(double* row) {
  const Index columns = upper_.cols();
  for (Index j = 0; j < columns; ++j) {
    if (row[j] == 0.0) continue;
    Eigen::JacobiRotation<double> rotation;
    double length = 0.0;
    rotation.makeGivens(upper_(j, j), row[j], &length);
    upper_(j, j) = length;
    const double c = rotation.c();
    const double s = rotation.s();
    for (Index i = j + 1; i < columns; ++i) {
      const double above = upper_(j, i);
      upper_(j, i) = c * above - s * row[i];
      row[i] = s * above + c * row[i];
    }
  }
  rows_ += 1.0;
}

TriangularFactor TriangularFactor::of_columns(const std::vector<Index>& columns) const {
  Eigen::MatrixXd rows(upper_.rows(), static_cast<Index>(columns.size()));
  for (Index j = 0; j < rows.cols(); ++j) rows.col(j) = upper_.col(columns[static_cast<std::size_t>(j)]);
  TriangularFactor chosen(rows.cols());
  chosen.reduce(rows.data(), rows.rows(), rows.rows());
  chosen.rows_ = rows_;
  return chosen;
}

void TriangularFactor::merge(const TriangularFactor& other) {
  reduce(other.upper_.data(), other.upper_.rows(), other.upper_.rows());
  rows_ += other.rows_;
}

void TriangularFactor::discount(double factor) {
  upper_ *= std::sqrt(factor);
  rows_ *= factor;
}

// What R is to lose is a share of the row u^T R, with u along R direction. Rotations turn it into a row of its own, as
// LINPACK takes away a row (Golub & Van Loan 2013, sec. 6.5.4).
void TriangularFactor::discount_along(const double* direction, Index features, double factor, double factor_of_rest) {
  const Index columns = upper_.cols();
  const Index rest = columns - features;
  upper_.bottomRightCorner(rest, rest) *= std::sqrt(factor_of_rest);
  rows_ *= factor_of_rest;
  Eigen::VectorXd u = upper_.topLeftCorner(features, features).triangularView<Eigen::Upper>() *
                      Eigen::Map<const Eigen::VectorXd>(direction, features);
  const double size = u.stableNorm();
  if (!(size > 0.0) || !std::isfinite(size)) return;
  u *= std::sqrt(1.0 - factor) / size;
  Eigen::VectorXd taken = Eigen::VectorXd::Zero(columns);
  double left = std::sqrt(factor);
  for (Index i = features; i-- > 0;) {
    if (u(i) == 0.0) continue;
    const double length = std::hypot(left, u(i));
    const double c = left / length;
    const double s = u(i) / length;
    left = length;
    for (Index j = i; j < columns; ++j) {
      const double kept = upper_(i, j);
      upper_(i, j) = c * kept - s * taken(j);
      taken(j) = s * kept + c * taken(j);
    }
  }
}

double length_of(const Eigen::Ref<const Eigen::VectorXd>& column) {
  const double largest = column.lpNorm<Eigen::Infinity>();
  if (largest == 0.0 || !std::isfinite(largest)) return largest;
  // Squared in units of a power of two, whatever the size, and one by one: the digits depend neither on the unit nor,
  // as they would in vectors, on where the column begins in memory.
  const int exponent = std::ilogb(largest);
  double squares = 0.0;
  for (const double entry : column) {
    const double scaled = std::ldexp(entry, -exponent);
    squares += scaled * scaled;
  }
  return std::ldexp(std::sqrt(squares), exponent);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
