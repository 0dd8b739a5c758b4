#include "dynaplan/fit/sparse_least_squares.hpp"

#include <cmath>
#include <utility>

#include "dynaplan/core/dense.hpp"
#include "dynaplan/core/error.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// The fit of one target by some of the features.
struct SparseFit {
  Eigen::VectorXd coefficients;  // (feature columns)
  Eigen::MatrixXd spread;        // (feature columns, rank)
  double degrees_of_freedom = 0.0;
};

SparseFit fit_of(const TriangularFactor& factor, const LeastSquaresSettings& settings,
                 const std::vector<Index>& features, Index target) {
  const Index all = settings.feature_columns;
  SparseFit fit{Eigen::VectorXd::Zero(all), Eigen::MatrixXd::Zero(all, 0), factor.rows()};
  if (features.empty()) return fit;
  std::vector<Index> columns = features;
  columns.push_back(all + target);
  LeastSquaresSettings of_features = settings;
  of_features.feature_columns = static_cast<Index>(features.size());
  of_features.has_intercept = settings.has_intercept && features.back() == all - 1;
  const LeastSquaresSolution solution = solve_least_squares(factor.of_columns(columns), of_features);
  const Eigen::MatrixXd& spread = solution.spreads.front();
  fit.spread = Eigen::MatrixXd::Zero(all, spread.cols());
  for (Index i = 0; i < of_features.feature_columns; ++i) {
    const Index feature = features[static_cast<std::size_t>(i)];
    fit.coefficients(feature) = solution.coefficients(i, 0);
    fit.spread.row(feature) = spread.row(i);
  }
  fit.degrees_of_freedom = solution.degrees_of_freedom(0);
  return fit;
}

// Those whose terms are long enough, out of some of the features.
std::vector<Index> above(double smallest, const Eigen::VectorXd& coefficients, const Eigen::VectorXd& lengths,
                         const std::vector<Index>& features) {
  std::vector<Index> kept;
  for (const Index feature : features) {
    if (std::abs(coefficients(feature)) * lengths(feature) > smallest) kept.push_back(feature);
  }
  return kept;
}

// Drops terms of one target that are no longer than `smallest` until none is.
SparseFit thresholded(const TriangularFactor& factor, const LeastSquaresSettings& settings, Index target,
                      const Eigen::VectorXd& coefficients, double smallest) {
  Eigen::VectorXd lengths(coefficients.size());
  std::vector<Index> features;
  for (Index i = 0; i < lengths.size(); ++i) {
    lengths(i) = length_of(factor.upper().col(i));
    features.push_back(i);
  }
  features = above(smallest, coefficients, lengths, features);
  SparseFit fit = fit_of(factor, settings, features, target);
  for (std::size_t before = features.size() + 1; features.size() < before;) {
    before = features.size();
    features = above(smallest, fit.coefficients, lengths, features);
    if (features.size() < before) fit = fit_of(factor, settings, features, target);
  }
  return fit;
}

// What the coefficients leave of the targets, each target's over its own degrees of freedom; 0 where it has none.
Eigen::MatrixXd residual_covariance(const Eigen::MatrixXd& upper, const LeastSquaresSolution& solution) {
  const Eigen::MatrixXd& coefficients = solution.coefficients;
  const Eigen::MatrixXd residuals =
      upper.rightCols(coefficients.cols()) - product(upper.leftCols(coefficients.rows()), coefficients);
  // Divided before they are squared, as the squares overflow sooner.
  const Eigen::VectorXd scale = solution.degrees_of_freedom.unaryExpr(
      [](double freedom) { return freedom > 0.0 ? 1.0 / std::sqrt(freedom) : 0.0; });
  const Eigen::MatrixXd scaled = residuals * scale.asDiagonal();
  return transposed_product(scaled, scaled);
}

}  // namespace

LeastSquaresSolution solve_sparse_least_squares(const TriangularFactor& factor, const LeastSquaresSettings& settings,
                                                double threshold) {
  const Index all = settings.feature_columns;
  LeastSquaresSolution solution = solve_least_squares(factor, settings);
  solution.spreads.clear();
  for (Index target = 0; target < solution.coefficients.cols(); ++target) {
    const double explained = length_of(factor.upper().col(all + target).head(all));
    SparseFit fit = thresholded(factor, settings, target, solution.coefficients.col(target), threshold * explained);
    solution.coefficients.col(target) = fit.coefficients;
    solution.degrees_of_freedom(target) = fit.degrees_of_freedom;
    solution.spreads.push_back(std::move(fit.spread));
  }
  solution.residual_covariance = residual_covariance(factor.upper(), solution);
  if (!solution.residual_covariance.allFinite()) {
    throw NumericalError("transitions: squared residuals overflow float64; rescale the states and actions");
  }
  return solution;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
