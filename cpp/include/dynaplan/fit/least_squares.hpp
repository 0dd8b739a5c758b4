#pragma once

#include <vector>

#include "dynaplan/fit/triangular_factor.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// What holds coefficients back.
struct Regularisation {
  double ridge = 0.0;      // see solve_least_squares
  double threshold = 0.0;  // see solve_sparse_least_squares
};

/// What follows from a triangular factor of [features | targets].
struct LeastSquaresSolution {
  Eigen::MatrixXd coefficients;         // (feature columns, targets)
  Eigen::MatrixXd residual_covariance;  // (targets, targets): residual squares over the degrees of freedom
  // (targets): rows - trace of the hat matrix: rows - rank without ridge. Products of the residuals of two targets are
  // divided by the root of the product of theirs.
  Eigen::VectorXd degrees_of_freedom;
  Index rank = 0;
  // (feature columns, rank): (X^T X + ridge)^+ = spread spread^T. One for all targets, or one for each.
  std::vector<Eigen::MatrixXd> spreads;
  Eigen::MatrixXd null_basis;  // (feature columns, columns - rank), orthonormal
};

struct LeastSquaresSettings {
  Index feature_columns = 0;
  bool has_intercept = true;  // the last feature column is the constant
  double ridge = 0.0;
  double rank_tolerance = 0.0;  // singular values below this share of the largest count as 0
};

/// Solves from R alone, columns scaled to unit length first, so that rank does not depend on units. Rank deficiency
/// gives the coefficients of least norm. `ridge` is the weight of the squared coefficients of standardised features
/// (divided by their standard deviation; by their root mean square without an intercept), the intercept not
/// penalised: Hastie, Tibshirani & Friedman 2009, sec. 3.4.1. Throws NumericalError if R is not finite.
LeastSquaresSolution solve_least_squares(const TriangularFactor& factor, const LeastSquaresSettings& settings);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
