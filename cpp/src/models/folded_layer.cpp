#include "dynaplan/models/folded_layer.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
FoldedLayer folded_layer(const NetworkShape& shape, const NetworkScaling& scaling, const NetworkMember<float>& member,
                         Index index) {
  const NetworkLayer<float>& layer = member.layers[static_cast<std::size_t>(index)];
  FoldedLayer result{layer.weights.template cast<double>(), layer.bias.template cast<double>()};
  if (index == 0) {
    result.weights *= scaling.input_scale.cwiseInverse().asDiagonal();
    const Eigen::VectorXd taken = scaling.input_mean.template cast<T>().template cast<double>();
    result.bias -= result.weights * (scaling.input_mean - taken);
  }
  if (index + 1 == shape.layers()) {
    const Index targets = shape.targets();
    result.weights.topRows(targets) = scaling.target_scale.asDiagonal() * result.weights.topRows(targets);
    result.bias.head(targets) = scaling.target_scale.cwiseProduct(result.bias.head(targets)) + scaling.target_mean;
    if (shape.probabilistic) result.bias.tail(targets) -= member.log_variance_high.template cast<double>();
  }
  return result;
}

template FoldedLayer folded_layer<float>(const NetworkShape&, const NetworkScaling&, const NetworkMember<float>&,
                                         Index);
template FoldedLayer folded_layer<double>(const NetworkShape&, const NetworkScaling&, const NetworkMember<float>&,
                                          Index);

VarianceBounds variance_bounds(const NetworkScaling& scaling, const NetworkMember<float>& member) {
  if (member.log_variance_low.size() == 0) return {};
  const Eigen::ArrayXd squares = scaling.target_scale.array().square();
  return {squares * member.log_variance_low.cast<double>().array().exp(),
          squares * member.log_variance_high.cast<double>().array().exp()};
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
