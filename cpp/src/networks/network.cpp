#include "dynaplan/networks/network.hpp"

#include <string>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

template <class Derived>
void require_vector(const std::string& name, const Eigen::MatrixBase<Derived>& vector, Index size) {
  require_size(name, vector.size(), size);
  for (Index i = 0; i < size; ++i) {
    if (!std::isfinite(vector(i))) throw_entry_error(name, i, static_cast<double>(vector(i)), "finite");
  }
}

void require_scale(const std::string& name, const Eigen::VectorXd& scale, Index size) {
  require_vector(name, scale, size);
  for (Index i = 0; i < size; ++i) {
    if (!(scale(i) > 0.0)) throw_entry_error(name, i, scale(i), "above 0");
  }
}

void require_layer(const std::string& name, const NetworkLayer<float>& layer, Index outputs, Index inputs) {
  require_shape(name + ", weights", layer.weights.rows(), layer.weights.cols(), outputs, inputs);
  require_finite_matrix(name + ", weights", layer.weights);
  require_vector(name + ", bias", layer.bias, outputs);
}

void require_member(const std::string& name, const NetworkShape& shape, const NetworkMember<float>& member) {
  if (static_cast<Index>(member.layers.size()) != shape.layers()) {
    throw_shape_error(name, text_of(member.layers.size()) + " layers",
                      text_of(shape.layers()) + ", one more than hidden");
  }
  for (Index l = 0; l < shape.layers(); ++l) {
    require_layer(name + ", layer " + text_of(l), member.layers[static_cast<std::size_t>(l)], shape.layer_outputs(l),
                  shape.layer_inputs(l));
  }
  require_vector(name + ", log_variance_low", member.log_variance_low, shape.bounds());
  require_vector(name + ", log_variance_high", member.log_variance_high, shape.bounds());
}

}  // namespace

std::vector<Index> NetworkShape::layer_sizes() const {
  std::vector<Index> sizes{inputs()};
  sizes.insert(sizes.end(), hidden.begin(), hidden.end());
  sizes.push_back(outputs());
  return sizes;
}

void NetworkShape::validate() const {
  require_columns("states", state_dim);
  require_columns("actions", action_dim);
  for (const Index units : hidden) {
    require_at_least("hidden", units, 1);
  }
  for (std::size_t i = 0; i < hidden.size(); ++i) {
    require_addressable("hidden", {i == 0 ? inputs() : hidden[i - 1], hidden[i]});
  }
  Index previous = -1;
  for (const Index angle : angles) {
    if (angle <= previous || angle >= state_dim) {
      throw_value_error("angles", text_of(angle), "states from 0 to " + text_of(state_dim - 1) + ", ascending");
    }
    previous = angle;
  }
  if (!periods.empty()) require_size("periods", static_cast<Index>(periods.size()), static_cast<Index>(angles.size()));
  for (const double period : periods) {
    if (!(period > 0.0) || !std::isfinite(period)) throw_value_error("periods", text_of(period), "finite and above 0");
  }
}

void NetworkParameters::validate() const {
  shape.validate();
  require_vector("input_mean", scaling.input_mean, shape.inputs());
  require_scale("input_scale", scaling.input_scale, shape.inputs());
  require_vector("target_mean", scaling.target_mean, shape.targets());
  require_scale("target_scale", scaling.target_scale, shape.targets());
  if (members.empty()) throw_shape_error("weights", "0 members", "at least 1");
  for (std::size_t m = 0; m < members.size(); ++m) require_member("member " + text_of(m), shape, members[m]);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
