#pragma once

#include "dynaplan/networks/network.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// States and actions as the networks of an ensemble see them, less their means: [states with sin(angle) in place of
/// each angle | cos of the angles | actions]. The means go here and not into a bias, where a large mean would cost
/// the digits of a small variation; the scales are folded into the first layer's weights.
template <class T>
class NetworkEncoding {
 public:
  NetworkEncoding(const NetworkShape& shape, const NetworkScaling& scaling);

  Index inputs() const { return static_cast<Index>(mean_.size()); }

  /// `out` (inputs, K).
  void apply(ConstBlock<T> state, ConstBlock<T> action, Block<T> out) const;

  /// Turns derivatives with respect to the inputs, (inputs, K), into those with respect to `to_state` (S, K) and
  /// `to_action` (A, K); `encoded` is what `apply` gave.
  void pull_back(ConstBlock<T> encoded, ConstBlock<T> of_inputs, Block<T> to_state, Block<T> to_action) const;

 private:
  Index state_dim_;
  std::vector<Index> angles_;
  std::vector<T> rates_;  // from each angle's unit to radians
  std::vector<T> mean_;
};

extern template class NetworkEncoding<float>;
extern template class NetworkEncoding<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
