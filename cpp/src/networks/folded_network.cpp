#include "dynaplan/networks/folded_network.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
FoldedNetwork folded_network(Activation activation, const NetworkScaling& scaling, const NetworkMember<float>& member) {
  std::vector<FoldedLayer> layers;
  layers.reserve(member.layers.size());
  for (const NetworkLayer<float>& layer : member.layers) {
    layers.push_back({layer.weights.template cast<double>(), layer.bias.template cast<double>()});
  }
  FoldedLayer& first = layers.front();
  first.weights *= scaling.input_scale.cwiseInverse().asDiagonal();
  const Eigen::VectorXd taken = scaling.input_mean.template cast<T>().template cast<double>();
  first.bias -= first.weights * (scaling.input_mean - taken);

  const Index targets = scaling.target_mean.size();
  FoldedLayer mean = layers.back().rows(0, targets);
  mean.weights = scaling.target_scale.asDiagonal() * mean.weights;
  mean.bias = scaling.target_scale.cwiseProduct(mean.bias) + scaling.target_mean;
  FoldedLayer log_odds = layers.back().rows(targets, layers.back().bias.size() - targets);
  layers.pop_back();
  if (log_odds.bias.size() == 0) return {activation, std::move(layers), std::move(mean), std::move(log_odds), {}, {}};

  log_odds.bias -= member.log_variance_high.template cast<double>();
  const Eigen::ArrayXd squares = scaling.target_scale.array().square();
  return {activation,
          std::move(layers),
          std::move(mean),
          std::move(log_odds),
          squares * member.log_variance_low.template cast<double>().array().exp(),
          squares * member.log_variance_high.template cast<double>().array().exp()};
}

template FoldedNetwork folded_network<float>(Activation, const NetworkScaling&, const NetworkMember<float>&);
template FoldedNetwork folded_network<double>(Activation, const NetworkScaling&, const NetworkMember<float>&);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
