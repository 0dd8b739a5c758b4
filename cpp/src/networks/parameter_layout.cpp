#include "dynaplan/networks/parameter_layout.hpp"

#include <algorithm>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

template <class T>
using RowMajor = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class T>
Eigen::Map<RowMajor<T>, 0, Eigen::OuterStride<>> weights_of(T* numbers, const LayerPlace& layer) {
  return {numbers + layer.weights, layer.outputs, layer.inputs, Eigen::OuterStride<>(layer.stride)};
}

template <class T>
using ConstWeights = Eigen::Map<const RowMajor<T>, 0, Eigen::OuterStride<>>;

}  // namespace

template <class T>
ParameterLayout<T>::ParameterLayout(const std::vector<Index>& sizes, Index bounds) : bounds_(bounds) {
  for (std::size_t l = 0; l + 1 < sizes.size(); ++l) take_layer(sizes[l + 1], sizes[l]);
  low_ = take(bounds);
  high_ = take(bounds);
}

template <class T>
Index ParameterLayout<T>::take(Index count) {
  const Index start = size_;
  size_ += padded_lanes<T>(count);
  return start;
}

template <class T>
void ParameterLayout<T>::take_layer(Index outputs, Index inputs) {
  LayerPlace layer{outputs, inputs, padded_lanes<T>(inputs), 0, 0};
  layer.weights = take(layer.weights_size());
  layer.bias = take(layer.outputs);
  layers_.push_back(layer);
}

template <class T>
void ParameterLayout<T>::order_bounds(Numbers<T>& numbers) const {
  for (Index i = 0; i < bounds_; ++i) numbers(high_ + i) = std::max(numbers(high_ + i), numbers(low_ + i));
}

template <class T>
Numbers<T> ParameterLayout<T>::pack(const NetworkMember<T>& member) const {
  Numbers<T> numbers = Numbers<T>::Zero(size_);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    weights_of<T>(numbers.data(), layers_[l]) = member.layers[l].weights;
    numbers.segment(layers_[l].bias, layers_[l].outputs) = member.layers[l].bias.array();
  }
  if (has_bounds()) {
    numbers.segment(low_, bounds_) = member.log_variance_low.array();
    numbers.segment(high_, bounds_) = member.log_variance_high.array();
  }
  return numbers;
}

template <class T>
NetworkMember<T> ParameterLayout<T>::unpack(const Numbers<T>& numbers) const {
  NetworkMember<T> member;
  for (const LayerPlace& layer : layers_) {
    const ConstWeights<T> weights(numbers.data() + layer.weights, layer.outputs, layer.inputs,
                                  Eigen::OuterStride<>(layer.stride));
    member.layers.push_back({weights, numbers.segment(layer.bias, layer.outputs).matrix()});
  }
  member.log_variance_low = numbers.segment(low_, bounds_).matrix();
  member.log_variance_high = numbers.segment(high_, bounds_).matrix();
  return member;
}

template class ParameterLayout<float>;
template class ParameterLayout<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
