#include "dynaplan/fit/regression.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/transpose.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

void scale_lanes(const RegressionData& data, Index first, Index step, Index count, Block<double> out) {
  for (Index k = 0; k < out.lanes; ++k) {
    double scale = k < count ? 1.0 : 0.0;
    if (k < count && data.weights != nullptr) scale = std::sqrt(data.weights[first + k * step]);
    if (scale == 1.0) continue;
    for (Index i = 0; i < out.dim; ++i) out.row(i)[k] *= scale;
  }
}

}  // namespace

double RegressionData::counted_rows() const {
  if (weights == nullptr) return static_cast<double>(count);
  return static_cast<double>(std::count_if(weights, weights + count, [](double weight) { return weight > 0.0; }));
}

InputSummary::InputSummary(Index inputs)
    : low(Eigen::ArrayXd::Constant(inputs, std::numeric_limits<double>::infinity())),
      high(Eigen::ArrayXd::Constant(inputs, -std::numeric_limits<double>::infinity())) {}

void InputSummary::include(const InputSummary& part) {
  low = low.min(part.low);
  high = high.max(part.high);
  float32_exact = float32_exact && part.float32_exact;
}

void InputSummary::append(const InputSummary& other) {
  const bool either_exact = float32_exact || other.float32_exact;
  include(other);
  float32_exact = either_exact;
}

void InputSummary::include(ConstBlock<double> inputs, Index first, Index count) {
  for (Index i = 0; i < inputs.dim; ++i) {
    const Eigen::Map<const Eigen::ArrayXd> values(inputs.row(i), count);
    low(first + i) = std::min(low(first + i), values.minCoeff());
    high(first + i) = std::max(high(first + i), values.maxCoeff());
    float32_exact = float32_exact && (values.cast<float>().cast<double>() == values).all();
  }
}

void RegressionDesign::pack(const RegressionData& data, Index first, Index step, Index count, Block<double> out,
                            InputSummary& seen) const {
  const Block<double> state = out.rows(0, state_dim);
  const Block<double> action = out.rows(state_dim, action_dim());
  const Block<double> target = out.rows(feature_columns(), state_dim);
  rows_to_block(data.states + first * state_dim, step * state_dim, count, state);
  rows_to_block(data.actions + first * action_dim(), step * action_dim(), count, action);
  rows_to_block(data.next_states + first * state_dim, step * state_dim, count, target);
  seen.include(state, 0, count);
  seen.include(action, state_dim, count);
  features.products<double>(state, action, out.rows(features.inputs(), features.products_count()));
  if (intercept) std::fill_n(out.row(features.count()), out.lanes, 1.0);
  for (Index i = 0; predicts_change && i < state_dim; ++i) {
    for (Index k = 0; k < out.lanes; ++k) target.row(i)[k] -= state.row(i)[k];
  }
  if (data.weights != nullptr || count < out.lanes) scale_lanes(data, first, step, count, out);
}

void require_finite_data(const RegressionDesign& design, const RegressionData& data) {
  require_finite("states", data.states, data.count, design.state_dim);
  require_finite("actions", data.actions, data.count, design.action_dim());
  require_finite("next_states", data.next_states, data.count, design.state_dim);
}

void validate(const RegressionData& data) {
  if (data.count < 1) throw_shape_error("transitions", "0", "at least 1");
  if (data.weights == nullptr) return;
  require_finite("weights", data.weights, data.count, 1);
  double largest = 0.0;
  for (Index i = 0; i < data.count; ++i) {
    if (data.weights[i] < 0.0) throw_row_error("weights", i, 1, data.weights[i], "at least 0");
    largest = std::max(largest, data.weights[i]);
  }
  if (largest == 0.0) throw_value_error("weights", "0 for all rows", "above 0 for at least one");
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
