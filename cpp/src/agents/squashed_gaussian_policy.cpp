#include "dynaplan/agents/squashed_gaussian_policy.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dynaplan/agents/squashed_gaussian.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

float min_float_from(double value) {
  const auto rounded = static_cast<float>(value);
  return static_cast<double>(rounded) < value ? std::nextafter(rounded, kInfinity) : rounded;
}

PackedAffine<float> packed(const LayerPlace& layer, const Numbers<float>& parameters) {
  using Affine = PackedAffine<float>;
  using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::Map<const Rows, 0, Eigen::OuterStride<>> weights(parameters.data() + layer.weights, layer.outputs,
                                                                layer.inputs, Eigen::OuterStride<>(layer.stride));
  const Eigen::Map<const Affine::Vector> bias(parameters.data() + layer.bias, layer.outputs);
  return {Affine::Matrix(weights), Affine::Vector(bias)};
}

}  // namespace

SquashedGaussianPolicy::SquashedGaussianPolicy(const Sac& agent) : activation_(agent.shape().activation) {
  const LearnedNetwork<float>& actor = agent.networks().actor;
  layers_.reserve(actor.layout.layers().size());
  for (const LayerPlace& layer : actor.layout.layers()) {
    layers_.push_back(packed(layer, actor.parameters));
    widest_ = std::max(widest_, layer.outputs);
  }
  const ActionBox& box = agent.box();
  for (Index i = 0; i < box.dim(); ++i) {
    centre_.push_back(static_cast<float>(box.centre(i)));
    half_range_.push_back(static_cast<float>(box.half_range(i)));
    low_.push_back(min_float_from(box.low(i)));
    high_.push_back(-min_float_from(-box.high(i)));
  }
}

std::size_t SquashedGaussianPolicy::workspace_bytes(Index lanes) const {
  return 2 * Workspace::bytes<float>(widest_ * lanes) + Workspace::bytes<float>(action_dim() * lanes) +
         Workspace::bytes<float>(lanes);
}

void SquashedGaussianPolicy::act(ConstBlock<float> state, const Stream& stream, Index first_candidate,
                                 Workspace& workspace, Block<float> action) const {
  const Workspace::Scope scope(workspace);
  const Block<float> tiles[] = {workspace.take_block<float>(widest_, state.lanes),
                                workspace.take_block<float>(widest_, state.lanes)};
  const Block<float> noise = workspace.take_block<float>(action.dim, state.lanes);
  float* const log_prob = workspace.take<float>(state.lanes);
  ConstBlock<float> values = state;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const Block<float> out = tiles[l % 2].rows(0, layers_[l].outputs());
    if (l + 1 < layers_.size()) {
      layers_[l].apply(&values, 1, activation_, out);
    } else {
      layers_[l].apply(&values, 1, out);
    }
    values = out;
  }
  fill_normal(stream, Purpose::kActions, first_candidate, 0, noise);
  sample_squashed_gaussian<float>(values, noise, action, log_prob);
  for (Index i = 0; i < action.dim; ++i) {
    const auto entry = static_cast<std::size_t>(i);
    float* const row = action.row(i);
    for (Index k = 0; k < action.lanes; ++k) {
      row[k] = std::clamp(centre_[entry] + half_range_[entry] * row[k], low_[entry], high_[entry]);
    }
  }
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
