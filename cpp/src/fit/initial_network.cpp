#include "dynaplan/fit/initial_network.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dynaplan/core/random.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

constexpr float kLow = -10.0F;
constexpr float kHigh = 0.5F;
constexpr float kMaxDeviation = 2.0F;  // standard deviations
constexpr double kMaxWeightSize = 1.0;
constexpr float kConstantLogVariance = -40.0F;

// Standard normals one after another, those beyond kMaxDeviation left out: truncated, not clipped, so that no weights
// pile up at the ends.
class TruncatedNormals {
 public:
  TruncatedNormals(std::uint64_t seed, Index member)
      : stream_{seed, static_cast<std::uint32_t>(member), 0}, numbers_(4, kMaxLanes), next_(numbers_.size()) {}

  float draw() {
    for (;;) {
      if (next_ == numbers_.size()) refill();
      const float number = numbers_.data()[next_++];
      if (std::abs(number) <= kMaxDeviation) return number;
    }
  }

 private:
  void refill() {
    fill_normal<float>(stream_, Purpose::kTraining, first_, 0, {numbers_.data(), 4, kMaxLanes, kMaxLanes});
    first_ += kMaxLanes;
    next_ = 0;
  }

  Stream stream_;
  Eigen::Array<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> numbers_;
  Index next_;
  Index first_ = 0;
};

// By how much the weights of an input may grow: until their root mean square is kMaxWeightSize.
double max_growth(const Eigen::VectorXd& weights) {
  const double size = weights.norm() / std::sqrt(static_cast<double>(weights.size()));
  return size < kMaxWeightSize ? kMaxWeightSize / std::max(size, std::numeric_limits<double>::min()) : 1.0;
}

}  // namespace

NetworkMember<float> initial_member(const NetworkShape& shape, std::uint64_t seed, Index member) {
  TruncatedNormals normals(seed, member);
  NetworkMember<float> made;
  for (Index l = 0; l < shape.layers(); ++l) {
    NetworkLayer<float> layer{{shape.layer_outputs(l), shape.layer_inputs(l)}, {}};
    const float deviation = 0.5F / std::sqrt(static_cast<float>(shape.layer_inputs(l)));
    for (Index i = 0; i < layer.weights.rows(); ++i) {
      for (Index j = 0; j < layer.weights.cols(); ++j) layer.weights(i, j) = deviation * normals.draw();
    }
    layer.bias.setZero(shape.layer_outputs(l));
    made.layers.push_back(std::move(layer));
  }
  made.log_variance_low.setConstant(shape.bounds(), kLow);
  made.log_variance_high.setConstant(shape.bounds(), kHigh);
  return made;
}

NetworkMember<float> rescaled_member(const NetworkShape& shape, const NetworkMember<float>& member,
                                     const NetworkScaling& from, const NetworkScaling& to) {
  NetworkMember<float> scaled = member;
  NetworkLayer<float>& first = scaled.layers.front();
  Eigen::MatrixXd weights = first.weights.cast<double>();
  Eigen::VectorXd bias = first.bias.cast<double>();
  for (Index j = 0; j < shape.inputs(); ++j) {
    if (from.input_scale(j) == 1.0) continue;  // never varied
    weights.col(j) *= std::min(to.input_scale(j) / from.input_scale(j), max_growth(weights.col(j)));
    bias += weights.col(j) * ((to.input_mean(j) - from.input_mean(j)) / to.input_scale(j));
  }
  first = {weights.cast<float>(), bias.cast<float>()};

  NetworkLayer<float>& last = scaled.layers.back();
  weights = last.weights.cast<double>();
  bias = last.bias.cast<double>();
  for (Index i = 0; i < shape.targets(); ++i) {
    if (from.target_scale(i) == 1.0) {  // never varied
      for (Index output = i; output < shape.outputs(); output += shape.targets()) {
        weights.row(output).setZero();
        bias(output) = 0.0;
      }
      if (!shape.probabilistic) continue;
      scaled.log_variance_low(i) = kLow;
      scaled.log_variance_high(i) = kHigh;
      continue;
    }
    const double ratio = from.target_scale(i) / to.target_scale(i);
    weights.row(i) *= ratio;
    bias(i) = bias(i) * ratio + (from.target_mean(i) - to.target_mean(i)) / to.target_scale(i);
    if (!shape.probabilistic) continue;
    // Raw log-variance and bounds move together, so that their distances stay.
    const auto shift = static_cast<float>(2.0 * std::log(ratio));
    bias(shape.targets() + i) += static_cast<double>(shift);
    scaled.log_variance_low(i) += shift;
    scaled.log_variance_high(i) += shift;
  }
  last = {weights.cast<float>(), bias.cast<float>()};
  return scaled;
}

void hold_at_mean(const NetworkShape& shape, Index target, NetworkMember<float>& member) {
  NetworkLayer<float>& last = member.layers.back();
  for (Index output = target; output < shape.outputs(); output += shape.targets()) {
    last.weights.row(output).setZero();
    last.bias(output) = 0.0F;
  }
  if (!shape.probabilistic) return;
  // Between these bounds, the raw output of a log-variance of 0.
  member.log_variance_low(target) = kLow;
  member.log_variance_high(target) = kHigh;
  last.bias(shape.targets() + target) = -std::log(1.0F / (1.0F - std::exp(kLow)) - std::exp(-kHigh));
}

void hold_constant(const NetworkShape& shape, Index target, NetworkMember<float>& member) {
  NetworkLayer<float>& last = member.layers.back();
  last.weights.row(target).setZero();
  last.bias(target) = 0.0F;
  if (!shape.probabilistic) return;
  last.weights.row(shape.targets() + target).setZero();
  last.bias(shape.targets() + target) = kConstantLogVariance;
  member.log_variance_low(target) = kConstantLogVariance;
  member.log_variance_high(target) = kConstantLogVariance;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
