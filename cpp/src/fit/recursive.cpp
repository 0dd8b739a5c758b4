#include "dynaplan/fit/recursive.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/error.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// A column smaller than this share of what one transition made of it cannot be told from rounding any more.
constexpr double kTrace = 1e-14;

double checked_forgetting(double forgetting) {
  require_positive_fraction("forgetting", forgetting);
  return forgetting;
}

}  // namespace

RecursiveLeastSquares::RecursiveLeastSquares(const RegressionDesign& design, const Regularisation& regularisation,
                                             double forgetting, Forgetting kind)
    : design_(design),
      regularisation_(regularisation),
      forgetting_(checked_forgetting(forgetting)),
      kind_(kind),
      factor_(design.columns()),
      inputs_seen_(design.features.inputs()),
      seen_before_(inputs_seen_),
      sizes_(Eigen::ArrayXd::Zero(design.feature_columns())),
      direction_(design.feature_columns()) {}

RecursiveLeastSquares::RecursiveLeastSquares(const LinearGaussianFit& fit, double forgetting, Forgetting kind)
    : design_(fit.design()),
      regularisation_(fit.regularisation()),
      forgetting_(checked_forgetting(forgetting)),
      kind_(kind),
      factor_(fit.factor()),
      inputs_seen_(fit.inputs_seen()),
      seen_before_(inputs_seen_),
      sizes_(design_.feature_columns()),
      direction_(design_.feature_columns()) {
  for (Index i = 0; i < sizes_.size(); ++i) sizes_(i) = length_of(factor_.upper().col(i)) / std::sqrt(factor_.rows());
}

void RecursiveLeastSquares::update(const double* state, const double* action, const double* next_state) {
  const RegressionData data{state, action, next_state, nullptr, 1};
  require_finite_data(design_, data);
  constexpr Index kLanes = kVectorLanes<double>;
  const Index columns = design_.columns();
  workspace_.reserve(Workspace::bytes<double>(columns * kLanes) + Workspace::bytes<double>(columns));
  const Block<double> block = workspace_.take_block<double>(columns, kLanes);
  double* const row = workspace_.take<double>(columns);
  seen_before_ = inputs_seen_;
  design_.pack(data, 0, 1, 1, block, inputs_seen_);
  for (Index i = 0; i < columns; ++i) row[i] = block.row(i)[0];
  if (!std::all_of(row, row + columns, [](double entry) { return std::isfinite(entry); })) {
    inputs_seen_ = seen_before_;
    throw NumericalError("state, action, next_state: their products or their change overflow float64");
  }
  forget(row);
  factor_.rotate_in(row);
}

void RecursiveLeastSquares::forget(const double* row) {
  if (forgetting_ == 1.0) return;
  if (kind_ == Forgetting::kDirectional) {
    forget_along(row);
  } else {
    factor_.discount(forgetting_);
    fades_ = true;
  }
}

// A typical size moves towards that of each feature by a bounded step, so that one outlier does not set it, and hardly
// at all towards features that are next to nothing, so that a system at rest does not set it either.
void RecursiveLeastSquares::forget_along(const double* row) {
  const Index features = design_.feature_columns();
  direction_.setZero();
  for (Index i = 0; i < features; ++i) {
    double& size = sizes_(i);
    if (size == 0.0) size = std::abs(row[i]);
    if (row[i] == 0.0) continue;
    const double ratio = row[i] / size;
    const double share = 1.0 / (1.0 + 1.0 / (ratio * ratio));
    direction_(i) = ratio / size;
    size *= 1.0 + (1.0 - forgetting_) * share * (2.0 * share - 1.0);
  }
  // The residuals are those of all directions, of which one is weighed down.
  const double factor_of_rest = 1.0 - (1.0 - forgetting_) / static_cast<double>(features);
  factor_.discount_along(direction_.data(), features, forgetting_, factor_of_rest);
}

void RecursiveLeastSquares::restore(State state) {
  require_shape("factor", state.factor.upper().rows(), state.factor.upper().cols(), design_.columns(),
                design_.columns());
  require_size("low", state.inputs_seen.low.size(), inputs_seen_.low.size());
  require_size("high", state.inputs_seen.high.size(), inputs_seen_.high.size());
  require_size("sizes", state.sizes.size(), sizes_.size());
  factor_ = std::move(state.factor);
  inputs_seen_ = std::move(state.inputs_seen);
  fades_ = state.fades;
  sizes_ = std::move(state.sizes);
}

LinearGaussianFit RecursiveLeastSquares::fit() const {
  if (factor_.rows() == 0.0) throw ValueError("model: has seen no transition; call update() first");
  return {design_, without_traces(), inputs_seen_, regularisation_};
}

TriangularFactor RecursiveLeastSquares::without_traces() const {
  if (!fades_) return factor_;
  Eigen::MatrixXd upper = factor_.upper();
  const Eigen::ArrayXd largest = (-inputs_seen_.low).max(inputs_seen_.high);
  for (Index feature = 0; feature < design_.features.count(); ++feature) {
    double size = kTrace;  // that of one transition, the last
    const std::vector<int> powers = design_.features.exponents(feature);
    for (Index i = 0; i < largest.size(); ++i) size *= std::pow(largest(i), powers[static_cast<std::size_t>(i)]);
    if (std::isfinite(size) && upper.col(feature).lpNorm<Eigen::Infinity>() <= size) upper.col(feature).setZero();
  }
  return {std::move(upper), factor_.rows()};
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
