#pragma once

#include <vector>

#include "dynaplan/core/block.hpp"
#include "dynaplan/networks/network_member.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Numbers on the heap, aligned to whole vectors.
template <class T>
using Numbers = Eigen::Array<T, Eigen::Dynamic, 1>;

/// Where the parameters of one layer stand in the flat array.
struct LayerPlace {
  Index outputs;
  Index inputs;
  Index stride;   // numbers from one row of weights to the next
  Index weights;  // where weights(0, 0) stands; weights(i, j) is at weights + i * stride + j
  Index bias;     // where bias(0) stands

  Index weights_size() const { return outputs * stride; }
};

/// Where the parameters of one network stand in one flat array, so that an optimiser is one pass over it. Rows of
/// weights are padded with zeros to whole vectors; their gradient is 0, so they stay 0.
template <class T>
class ParameterLayout {
 public:
  /// `sizes` are the number of inputs, the units of each hidden layer and the outputs; so many targets have `bounds` of
  /// their log-variances.
  explicit ParameterLayout(const std::vector<Index>& sizes, Index bounds = 0);

  const std::vector<LayerPlace>& layers() const { return layers_; }
  bool has_bounds() const { return bounds_ > 0; }
  /// Where the bounds of the log-variances stand, if there are any.
  Index low() const { return low_; }
  Index high() const { return high_; }
  Index size() const { return size_; }

  /// Raises each upper bound that lies below its lower bound to it: an optimiser's step knows nothing of their order.
  void order_bounds(Numbers<T>& numbers) const;

  Numbers<T> pack(const NetworkMember<T>& member) const;
  NetworkMember<T> unpack(const Numbers<T>& numbers) const;

 private:
  Index take(Index count);
  void take_layer(Index outputs, Index inputs);

  std::vector<LayerPlace> layers_;
  Index bounds_;
  Index low_ = 0;
  Index high_ = 0;
  Index size_ = 0;
};

extern template class ParameterLayout<float>;
extern template class ParameterLayout<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
