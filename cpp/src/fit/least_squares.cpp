#include "dynaplan/fit/least_squares.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dynaplan/core/dense.hpp"
#include "dynaplan/core/error.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

using Matrix = Eigen::MatrixXd;

// The upper factor of [features; ridge rows | targets].
Matrix with_ridge(const TriangularFactor& factor, const LeastSquaresSettings& settings) {
  if (settings.ridge == 0.0) return factor.upper();
  const Index penalised = settings.feature_columns - (settings.has_intercept ? 1 : 0);
  const Matrix& upper = factor.upper();
  // With the constant's direction taken out of each column, what is left of its length is sqrt(rows) standard
  // deviations.
  Matrix centred = upper.leftCols(penalised);
  if (settings.has_intercept) {
    const Eigen::VectorXd constant = upper.col(penalised) / length_of(upper.col(penalised));
    centred -= constant * (constant.transpose() * centred);
  }
  Matrix rows = Matrix::Zero(penalised, upper.cols());
  for (Index j = 0; j < penalised; ++j) {
    rows(j, j) = std::sqrt(settings.ridge / factor.rows()) * length_of(centred.col(j));
  }
  if (!rows.allFinite()) {
    throw NumericalError("ridge: its rows overflow float64 for transitions this large; rescale the states and actions");
  }
  TriangularFactor ridged(upper, factor.rows());
  ridged.merge(TriangularFactor(rows, 0.0));
  return ridged.upper();
}

Eigen::VectorXd column_scale(const Matrix& upper) {
  constexpr double kSmallest = 1e-301;  // the inverse is finite, and what is a share of it still has digits
  Eigen::VectorXd scale(upper.cols());
  for (Index j = 0; j < scale.size(); ++j) {
    double& value = scale(j);
    value = length_of(upper.col(j));
    if (value > 0.0 && value < kSmallest) {
      throw NumericalError("transitions: an input vanishes in float64; rescale the states and actions");
    }
    if (value == 0.0) value = 1.0;
  }
  return scale;
}

// Full rank: R^-1 by substitution. Returns false where the scaled R is singular to working precision.
bool solve_full_rank(const Matrix& upper, const Matrix& right, double tolerance, LeastSquaresSolution& solution) {
  const Index columns = upper.cols();
  const Eigen::VectorXd scale = column_scale(upper);
  const Matrix scaled = upper * scale.cwiseInverse().asDiagonal();
  if (!(scaled.diagonal().cwiseAbs().minCoeff() > tolerance)) return false;
  const Matrix inverse = scaled.triangularView<Eigen::Upper>().solve(Matrix::Identity(columns, columns));
  if (!(scaled.norm() * inverse.norm() * tolerance < 1.0)) return false;
  solution.rank = columns;
  solution.coefficients = upper.triangularView<Eigen::Upper>().solve(right);
  solution.spreads = {scale.cwiseInverse().asDiagonal() * inverse};
  solution.null_basis = Matrix(columns, 0);
  return true;
}

// By powers of two, which rounds nothing.
void scale_to_one(Matrix& columns) {
  for (Index j = 0; j < columns.cols(); ++j) {
    const int exponent = std::ilogb(columns.col(j).lpNorm<Eigen::Infinity>());
    for (double& value : columns.col(j)) value = std::ldexp(value, -exponent);
  }
}

// Directions of no effect in the columns' own units, from those in units of their lengths. Where the lengths are far
// apart, rounding in a column that has no part in a direction would outweigh those that do.
Matrix in_own_units(Matrix directions, const Eigen::VectorXd& lengths, double tolerance) {
  constexpr double kFarApart = 1e10;
  if (lengths.maxCoeff() > kFarApart * lengths.minCoeff()) {
    directions = (directions.array().abs() > tolerance).select(directions, 0.0);
  }
  directions = lengths.cwiseInverse().asDiagonal() * directions;
  scale_to_one(directions);
  return directions;
}

// Any rank: a particular solution by the SVD of the scaled R, then its part in the null space taken away.
void solve_any_rank(const Matrix& upper, const Matrix& right, double tolerance, LeastSquaresSolution& solution) {
  const Index columns = upper.cols();
  const Eigen::VectorXd scale = column_scale(upper);
  const SingularValues svd = singular_values(upper * scale.cwiseInverse().asDiagonal());
  const Eigen::VectorXd& values = svd.values;
  const double smallest = tolerance * values(0);
  const Index rank = (values.array() > smallest).count();
  const Matrix unscaled = scale.cwiseInverse().asDiagonal() * svd.right;
  Matrix null_basis(columns, columns - rank);
  if (rank < columns) {
    null_basis = orthonormal_basis(in_own_units(svd.right.rightCols(columns - rank), scale, tolerance));
  }
  const auto without_null = [&](const Matrix& x) -> Matrix {
    return x - product(null_basis, transposed_product(null_basis, x));
  };
  solution.rank = rank;
  const Matrix inverse = unscaled.leftCols(rank) * values.head(rank).cwiseInverse().asDiagonal();
  solution.spreads = {without_null(inverse)};
  solution.coefficients = without_null(product(inverse, transposed_product(svd.left.leftCols(rank), right)));
  solution.null_basis = null_basis;
}

void require_representable(const Matrix& upper, const LeastSquaresSolution& solution) {
  const Index columns = solution.coefficients.rows();
  const Eigen::VectorXd sizes = upper.cwiseAbs().colwise().maxCoeff().transpose();
  const double largest = sizes.head(columns).maxCoeff();
  const auto targets = sizes.tail(sizes.size() - columns);
  // What a coefficient is rounded by at most where it is next to nothing, times what it is multiplied with.
  const auto lost =
      targets.array() > 0.0 && 1e-8 * targets.array() < std::numeric_limits<double>::denorm_min() * largest;
  if (lost.any() || !solution.coefficients.allFinite() || !solution.spreads.front().allFinite() ||
      !solution.residual_covariance.allFinite()) {
    throw NumericalError(
        "transitions: coefficients or squared residuals overflow or vanish in float64; rescale the states and actions");
  }
}

}  // namespace

LeastSquaresSolution solve_least_squares(const TriangularFactor& factor, const LeastSquaresSettings& settings) {
  const Index columns = settings.feature_columns;
  const Index targets = factor.columns() - columns;
  const Matrix& upper = factor.upper();
  if (!upper.allFinite()) {
    throw NumericalError("transitions: sums of them overflow float64; rescale the states and actions");
  }
  const Matrix ridged = with_ridge(factor, settings);
  LeastSquaresSolution solution;
  const Matrix left = ridged.topLeftCorner(columns, columns);
  const Matrix right = ridged.topRightCorner(columns, targets);
  if (!solve_full_rank(left, right, settings.rank_tolerance, solution)) {
    solve_any_rank(left, right, settings.rank_tolerance, solution);
  }

  const auto features = upper.topLeftCorner(columns, columns).triangularView<Eigen::Upper>();
  const Matrix explained = features * solution.spreads.front();
  const double freedom =
      factor.rows() - (settings.ridge == 0.0 ? static_cast<double>(solution.rank) : explained.squaredNorm());
  solution.degrees_of_freedom = Eigen::VectorXd::Constant(targets, freedom);
  const Matrix unexplained = upper.topRightCorner(columns, targets) - features * solution.coefficients;
  const Matrix corner = upper.bottomRightCorner(targets, targets).triangularView<Eigen::Upper>();
  solution.residual_covariance = transposed_product(corner, corner);
  // Without ridge and at full rank the first rows are met exactly; what rounding leaves there is not residual.
  if (settings.ridge > 0.0 || solution.rank < columns) {
    solution.residual_covariance += transposed_product(unexplained, unexplained);
  }
  if (freedom > 0.0) {
    solution.residual_covariance /= freedom;
  } else {
    solution.residual_covariance.setZero();
  }
  require_representable(upper, solution);
  return solution;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
