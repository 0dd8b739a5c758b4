#include "dynaplan/fit/recursive.hpp"

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/error.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

double checked_forgetting(double forgetting) {
  require_positive_fraction("forgetting", forgetting);
  return forgetting;
}

}  // namespace

RecursiveLeastSquares::RecursiveLeastSquares(const RegressionDesign& design, double ridge, double forgetting)
    : design_(design),
      ridge_(ridge),
      forgetting_(checked_forgetting(forgetting)),
      factor_(design.columns()),
      inputs_seen_(design.features.inputs()) {}

RecursiveLeastSquares::RecursiveLeastSquares(const LinearGaussianFit& fit, double forgetting)
    : design_(fit.design()),
      ridge_(fit.ridge()),
      forgetting_(checked_forgetting(forgetting)),
      factor_(fit.factor()),
      inputs_seen_(fit.inputs_seen()) {}

void RecursiveLeastSquares::update(const double* state, const double* action, const double* next_state) {
  const RegressionData data{state, action, next_state, nullptr, 1};
  require_finite_data(design_, data);
  constexpr Index kLanes = kVectorLanes<double>;
  const Index columns = design_.columns();
  workspace_.reserve(Workspace::bytes<double>(columns * kLanes) + Workspace::bytes<double>(columns));
  const Block<double> block = workspace_.take_block<double>(columns, kLanes);
  double* const row = workspace_.take<double>(columns);
  design_.pack(data, 0, 1, 1, block, inputs_seen_);
  for (Index i = 0; i < columns; ++i) row[i] = block.row(i)[0];
  factor_.discount(forgetting_);
  factor_.rotate_in(row);
}

LinearGaussianFit RecursiveLeastSquares::fit() const {
  if (factor_.rows() == 0.0) throw ValueError("model: has seen no transition; call update() first");
  return {design_, factor_, inputs_seen_, ridge_};
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
