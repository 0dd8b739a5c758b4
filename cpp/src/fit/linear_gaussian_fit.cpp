#include "dynaplan/fit/linear_gaussian_fit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/error.hpp"
#include "dynaplan/fit/sparse_least_squares.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

TriangularFactor checked_factor(const RegressionDesign& design, const RegressionData& data, int threads,
                                InputSummary& seen, const Interrupt* interrupt) {
  validate(data);
  TriangularFactor factor = factor_rows(design, data, threads, seen, interrupt);
  if (!factor.upper().allFinite()) require_finite_data(design, data);
  return factor;
}

// Below this share of the largest, a singular value of the unit-length columns is rounding: of the computation, as in
// numpy.linalg.lstsq, or of data that were rounded to float32 before (cos^2 + sin^2 = 1 then holds to 1e-7 only, and
// a coefficient fitted to that difference would be huge and void).
double rank_tolerance(const RegressionDesign& design, const TriangularFactor& factor, const InputSummary& seen) {
  const auto columns = static_cast<double>(design.feature_columns());
  const double computed = std::numeric_limits<double>::epsilon() * std::max(factor.rows(), columns);
  const double rounded = 10.0 * static_cast<double>(std::numeric_limits<float>::epsilon()) * std::sqrt(columns);
  return seen.float32_exact ? std::max(computed, rounded) : computed;
}

// A product that is 0 in float64, while its inputs are not, would be taken for one that has no effect.
void require_products(const PolynomialFeatures& features, const InputSummary& seen) {
  constexpr double kSmallest = -1000.0;
  const Eigen::ArrayXd sizes = (-seen.low).max(seen.high).unaryExpr([](double size) { return std::log2(size); });
  for (Index feature = features.inputs(); feature < features.count(); ++feature) {
    double size = 0.0;
    const std::vector<int> powers = features.exponents(feature);
    for (Index i = 0; i < features.inputs(); ++i) {
      if (powers[static_cast<std::size_t>(i)] > 0) size += powers[static_cast<std::size_t>(i)] * sizes(i);
    }
    if (std::isfinite(size) && size < kSmallest) {
      throw NumericalError("features: products of inputs vanish in float64; rescale the states and actions");
    }
  }
}

LeastSquaresSolution solve(const RegressionDesign& design, const TriangularFactor& factor, const InputSummary& seen,
                           const Regularisation& regularisation) {
  require_not_negative("ridge", regularisation.ridge);
  require_fraction_below_one("threshold", regularisation.threshold);
  require_products(design.features, seen);
  const LeastSquaresSettings settings{design.feature_columns(), design.intercept, regularisation.ridge,
                                      rank_tolerance(design, factor, seen)};
  if (regularisation.threshold == 0.0) return solve_least_squares(factor, settings);
  return solve_sparse_least_squares(factor, settings, regularisation.threshold);
}

// The next state itself, also where its change was fitted.
LinearGaussian model_of(const RegressionDesign& design, const LeastSquaresSolution& solution, double tolerance) {
  LinearGaussianParameters parameters;
  parameters.weights = solution.coefficients.topRows(design.features.count()).transpose();
  if (design.predicts_change) {
    parameters.weights.leftCols(design.state_dim) += Eigen::MatrixXd::Identity(design.state_dim, design.state_dim);
  }
  parameters.intercept = Eigen::VectorXd::Zero(design.state_dim);
  if (design.intercept) parameters.intercept = solution.coefficients.bottomRows(1).transpose();
  parameters.noise_covariance = solution.residual_covariance;
  parameters.spreads = solution.spreads;
  parameters.null_basis = solution.null_basis;
  parameters.noise_known = solution.degrees_of_freedom.minCoeff() > 0.0;
  // Well above the rounding that the rank was judged by, and below any real departure from the data.
  parameters.unseen_share = std::max(1e-9, 10.0 * tolerance);
  return {design.state_dim, design.features, design.intercept, std::move(parameters)};
}

}  // namespace

LinearGaussianFit::LinearGaussianFit(const RegressionDesign& design, TriangularFactor factor, InputSummary seen,
                                     const Regularisation& regularisation)
    : design_(design),
      factor_(std::move(factor)),
      inputs_seen_(std::move(seen)),
      regularisation_(regularisation),
      solution_(solve(design_, factor_, inputs_seen_, regularisation)),
      model_(model_of(design_, solution_, rank_tolerance(design_, factor_, inputs_seen_))) {}

LinearGaussianFit LinearGaussianFit::fit(const RegressionDesign& design, const RegressionData& data,
                                         const Regularisation& regularisation, int threads,
                                         const Interrupt* interrupt) {
  InputSummary seen(design.features.inputs());
  TriangularFactor factor = checked_factor(design, data, threads, seen, interrupt);
  return {design, std::move(factor), std::move(seen), regularisation};
}

LinearGaussianFit LinearGaussianFit::updated(const RegressionData& data, int threads,
                                             const Interrupt* interrupt) const {
  InputSummary new_inputs(design_.features.inputs());
  TriangularFactor factor = factor_;
  factor.merge(checked_factor(design_, data, threads, new_inputs, interrupt));
  InputSummary seen = inputs_seen_;
  seen.append(new_inputs);
  return {design_, std::move(factor), std::move(seen), regularisation_};
}

LinearGaussianFit LinearGaussianFit::merged(const LinearGaussianFit& other) const {
  const RegressionDesign& theirs = other.design_;
  require_model_dims("other", "a model", {theirs.state_dim, theirs.action_dim()},
                     {design_.state_dim, design_.action_dim()});
  if (theirs.features.degree() != design_.features.degree() || theirs.intercept != design_.intercept ||
      theirs.predicts_change != design_.predicts_change || other.regularisation_.ridge != regularisation_.ridge ||
      other.regularisation_.threshold != regularisation_.threshold) {
    throw ValueError(
        "other: fitted with different settings, must have the same features, intercept, target, ridge and threshold");
  }
  InputSummary seen = inputs_seen_;
  seen.append(other.inputs_seen_);
  TriangularFactor factor = factor_;
  factor.merge(other.factor_);
  return {design_, std::move(factor), std::move(seen), regularisation_};
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
