#include "dynaplan/fit/training_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// Means by a first pass, squares about them by a second: no cancellation.
struct Moments {
  Eigen::VectorXd mean;
  Eigen::VectorXd scale;
  Eigen::VectorXd rounding;     // deviations up to this are rounding
  std::vector<Index> constant;  // columns that deviate no more
};

// Deviations below this share of the mean are rounding.
constexpr double kConstant = 1e-12;
// And those of a difference below this share of what it is the difference of.
constexpr double kDifference = 16.0 * std::numeric_limits<double>::epsilon();

// Powers of two in which the rows of a matrix have squares that neither overflow nor vanish: 0 where they have as they
// are.
Eigen::VectorXi exponents_of(const Eigen::MatrixXd& columns) {
  constexpr int kLowest = -300;
  constexpr int kHighest = 400;
  Eigen::VectorXi exponents = Eigen::VectorXi::Zero(columns.rows());
  for (Index i = 0; i < columns.rows(); ++i) {
    const double size = columns.row(i).cwiseAbs().maxCoeff();
    if (size == 0.0 || !std::isfinite(size)) continue;
    const int exponent = std::ilogb(size);
    if (exponent < kLowest || exponent > kHighest) exponents(i) = exponent;
  }
  return exponents;
}

// `rounding` is what the columns have from how they were made.
Moments moments_of(Eigen::MatrixXd columns, const Eigen::VectorXd& rounding) {
  const Eigen::VectorXi exponents = exponents_of(columns);
  const auto in_own_unit = [&](double& value, Index i) { value = std::ldexp(value, exponents(i)); };
  for (Index i = 0; i < columns.rows(); ++i) {
    if (exponents(i) == 0) continue;
    for (double& value : columns.row(i)) value = std::ldexp(value, -exponents(i));
  }
  Moments moments{columns.rowwise().mean(), Eigen::VectorXd(columns.rows()), rounding, {}};
  for (Index i = 0; i < columns.rows(); ++i) {
    double deviation = std::sqrt((columns.row(i).array() - moments.mean(i)).square().mean());
    in_own_unit(deviation, i);
    in_own_unit(moments.mean(i), i);
    moments.rounding(i) = std::max(rounding(i), kConstant * std::abs(moments.mean(i)));
    const bool varies = deviation > moments.rounding(i);
    moments.scale(i) = varies ? deviation : 1.0;
    if (!varies) moments.constant.push_back(i);
  }
  return moments;
}

}  // namespace

void encode_transition(const NetworkShape& shape, const NetworkData& data, Index row, double* inputs, double* targets) {
  const double* const state = data.states + row * shape.state_dim;
  const double* const next = data.next_states + row * shape.state_dim;
  const double* const action = data.actions + row * shape.action_dim;
  for (Index i = 0; i < shape.state_dim; ++i) {
    inputs[i] = state[i];
    targets[i] = next[i] - state[i];
  }
  double* place = inputs + shape.state_dim;
  for (std::size_t a = 0; a < shape.angles.size(); ++a) {
    const Index angle = shape.angles[a];
    const double period = shape.period(a);
    inputs[angle] = std::sin(kTurn / period * state[angle]);
    *place++ = std::cos(kTurn / period * state[angle]);
    // Into (-period / 2, period / 2]: the short way round.
    targets[angle] -= period * std::ceil(targets[angle] / period - 0.5);
  }
  for (Index j = 0; j < shape.action_dim; ++j) *place++ = action[j];
  if (shape.rewards) targets[shape.state_dim] = data.rewards[row];
}

namespace {

struct Columns {
  Eigen::MatrixXd inputs;
  Eigen::MatrixXd targets;
  Eigen::VectorXd rounding;  // of the targets
};

Columns columns_of(const NetworkShape& shape, const NetworkData& data) {
  Columns columns{{shape.inputs(), data.count}, {shape.targets(), data.count}, Eigen::VectorXd::Zero(shape.targets())};
  for (Index row = 0; row < data.count; ++row) {
    encode_transition(shape, data, row, columns.inputs.col(row).data(), columns.targets.col(row).data());
    for (Index i = 0; i < shape.state_dim; ++i) {
      const Index place = row * shape.state_dim + i;
      const double largest = std::max(std::abs(data.states[place]), std::abs(data.next_states[place]));
      columns.rounding(i) = std::max(columns.rounding(i), kDifference * largest);
    }
  }
  return columns;
}

}  // namespace

DataUnits units_of(const NetworkShape& shape, const NetworkData& training, const NetworkData& held_out) {
  const Columns columns = columns_of(shape, training);
  Moments of_inputs = moments_of(columns.inputs, Eigen::VectorXd::Zero(shape.inputs()));
  Moments of_targets = moments_of(columns.targets, columns.rounding);
  std::vector<Index> constant_targets;
  if (!of_targets.constant.empty()) {
    Eigen::MatrixXd others = columns_of(shape, held_out).targets;
    others.colwise() -= of_targets.mean;
    for (const Index i : of_targets.constant) {
      const double largest = others.cols() == 0 ? 0.0 : others.row(i).cwiseAbs().maxCoeff();
      if (largest <= of_targets.rounding(i)) {
        constant_targets.push_back(i);
      } else {
        of_targets.scale(i) = largest;
      }
    }
  }
  return {
      {std::move(of_inputs.mean), std::move(of_inputs.scale), std::move(of_targets.mean), std::move(of_targets.scale)},
      std::move(constant_targets)};
}

template <class T>
TrainingRows<T>::TrainingRows(const NetworkShape& shape, const NetworkScaling& scaling, const NetworkData& data)
    : count_(data.count),
      targets_at_(padded_lanes<T>(shape.inputs())),
      stride_(targets_at_ + padded_lanes<T>(shape.targets())),
      numbers_(Numbers<T>::Zero(count_ * stride_)) {
  Eigen::VectorXd inputs(shape.inputs());
  Eigen::VectorXd targets(shape.targets());
  for (Index row = 0; row < count_; ++row) {
    encode_transition(shape, data, row, inputs.data(), targets.data());
    inputs = (inputs - scaling.input_mean).cwiseQuotient(scaling.input_scale);
    targets = (targets - scaling.target_mean).cwiseQuotient(scaling.target_scale);
    T* const numbers = numbers_.data() + row * stride_;
    Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, 1>>(numbers, inputs.size()) = inputs.cast<T>();
    Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, 1>>(numbers + targets_at_, targets.size()) = targets.cast<T>();
  }
}

template <class T>
std::vector<T> TrainingRows<T>::target(Index target) const {
  std::vector<T> values(static_cast<std::size_t>(count_));
  for (Index i = 0; i < count_; ++i) values[static_cast<std::size_t>(i)] = row(i)[targets_at_ + target];
  return values;
}

template <class T>
std::vector<double> TrainingRows<T>::mean_squares(Index targets) const {
  std::vector<double> means(static_cast<std::size_t>(targets));
  for (Index i = 0; i < count_; ++i) {
    for (Index target = 0; target < targets; ++target) {
      const auto value = static_cast<double>(row(i)[targets_at_ + target]);
      means[static_cast<std::size_t>(target)] += value * value / static_cast<double>(count_);
    }
  }
  return means;
}

template class TrainingRows<float>;
template class TrainingRows<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
