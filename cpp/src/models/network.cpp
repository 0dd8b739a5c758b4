#include "dynaplan/models/network.hpp"

#include <string>

#include "dynaplan/core/error.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

using std::to_string;

template <class Derived>
void require_vector(const std::string& name, const Eigen::MatrixBase<Derived>& vector, Index size) {
  if (vector.size() != size) {
    throw ShapeError(name + ": has " + to_string(vector.size()) + " numbers, must have " + to_string(size));
  }
  if (!vector.allFinite()) throw ValueError(name + ": has a number that is not finite; all must be");
}

void require_scale(const std::string& name, const Eigen::VectorXd& scale, Index size) {
  require_vector(name, scale, size);
  if (!(scale.array() > 0.0).all()) throw ValueError(name + ": has a number that is not above 0; all must be");
}

void require_layer(const std::string& name, const NetworkLayer<float>& layer, Index outputs, Index inputs) {
  if (layer.weights.rows() != outputs || layer.weights.cols() != inputs) {
    throw ShapeError(name + ": weights have shape (" + to_string(layer.weights.rows()) + ", " +
                     to_string(layer.weights.cols()) + "), must have (" + to_string(outputs) + ", " +
                     to_string(inputs) + ")");
  }
  if (!layer.weights.allFinite()) throw ValueError(name + ": has a weight that is not finite; all must be");
  require_vector(name + ", bias", layer.bias, outputs);
}

void require_member(const std::string& name, const NetworkShape& shape, const NetworkMember<float>& member) {
  if (static_cast<Index>(member.layers.size()) != shape.layers()) {
    throw ShapeError(name + ": has " + to_string(member.layers.size()) + " layers, must have " +
                     to_string(shape.layers()) + ": one more than hidden");
  }
  for (Index l = 0; l < shape.layers(); ++l) {
    require_layer(name + ", layer " + to_string(l), member.layers[static_cast<std::size_t>(l)], shape.layer_outputs(l),
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
  if (state_dim < 1) throw ShapeError("states: got " + to_string(state_dim) + " columns, must be at least 1");
  if (action_dim < 1) throw ShapeError("actions: got " + to_string(action_dim) + " columns, must be at least 1");
  for (const Index units : hidden) {
    if (units < 1) throw ValueError("hidden: got a layer of " + to_string(units) + " units, must be at least 1");
  }
  Index previous = -1;
  for (const Index angle : angles) {
    if (angle <= previous || angle >= state_dim) {
      throw ValueError("angles: got " + to_string(angle) + ", must be states from 0 to " + to_string(state_dim - 1) +
                       ", ascending");
    }
    previous = angle;
  }
}

void NetworkParameters::validate() const {
  shape.validate();
  require_vector("input_mean", scaling.input_mean, shape.inputs());
  require_scale("input_scale", scaling.input_scale, shape.inputs());
  require_vector("target_mean", scaling.target_mean, shape.targets());
  require_scale("target_scale", scaling.target_scale, shape.targets());
  if (members.empty()) throw ShapeError("weights: got 0 members, must be at least 1");
  for (std::size_t m = 0; m < members.size(); ++m) require_member("member " + to_string(m), shape, members[m]);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
