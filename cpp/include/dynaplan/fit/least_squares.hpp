#pragma once

#include "dynaplan/fit/triangular_factor.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// What follows from a triangular factor of [features | targets].
struct LeastSquaresSolution {
  Eigen::MatrixXd coefficients;         // (feature columns, targets)
  Eigen::MatrixXd residual_covariance;  // (targets, targets): residual squares over the degrees of freedom
  double degrees_of_freedom = 0.0;      // rows - trace of the hat matrix: rows - rank without ridge
  Index rank = 0;
  Eigen::MatrixXd spread;      // (feature columns, rank): (X^T X + ridge)^+ = spread spread^T
  Eigen::MatrixXd null_basis;  // (feature columns, columns - rank), orthonormal
};

struct LeastSquaresSettings {
  Index feature_columns = 0;
  bool has_intercept = true;    // the last feature column is the constant
  double ridge = 0.0;           // see solve_least_squares
  double rank_tolerance = 0.0;  // singular values below this share of the largest count as 0
};

/// Solves from R alone, columns scaled to unit length first, so that rank does not depend on units. Rank deficiency
/// gives the coefficients of least norm. `ridge` is the weight of the squared coefficients of standardised features
/// (divided by their standard deviation; by their root mean square without an intercept), the intercept not
/// penalised: Hastie, Tibshirani & Friedman 2009, sec. 3.4.1. Throws NumericalError if R is not finite.
LeastSquaresSolution solve_least_squares(const TriangularFactor& factor, const LeastSquaresSettings& settings);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
