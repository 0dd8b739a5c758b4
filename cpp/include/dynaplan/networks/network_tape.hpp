#pragma once

#include <vector>

#include "dynaplan/networks/activation.hpp"
#include "dynaplan/networks/chunk.hpp"
#include "dynaplan/networks/parameter_layout.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// In which order the weights' gradient of a layer with one output sums over the samples.
enum class SingleOutput {
  kBySample,  // as any other layer: one sample after another, from transposed inputs
  kByLane,    // lane by lane, then over the lanes: cheaper, since nothing is transposed, with other roundings
};

/// What a network computes on some samples, forward and backward, a chunk at a time; chunks may be of any size. Holds
/// the memory, of one thread; a call allocates nothing.
///
///   inputs, forward_for_backward, output_gradient, backward, transpose_inputs (each chunk), weight_gradient
///
/// Where the samples come in rows: input_row (each sample), load_input_rows instead of inputs, and
/// transpose_hidden_inputs instead of transpose_inputs, as those of the first layer are there already.
///
/// A backward pass needs the slopes of the activations. The forward pass keeps them beside the values (one exponential
/// serves both), unless a slope can be computed from its value at no cost, as that of ReLU.
template <class T>
class NetworkTape {
 public:
  /// For at most so many samples.
  NetworkTape(const ParameterLayout<T>& layout, Activation activation, Index samples, SingleOutput single_output);

  /// To be filled before a pass: what the first layer sees, features in rows.
  Block<T> inputs(const Chunk& chunk) { return part(inputs_.front(), layout_.layers().front().inputs, chunk); }
  /// The same for one sample, as numbers one after another; zeros up to the stride of the first layer's weights.
  T* input_row(Index sample) { return transposed_.front().data() + sample * transposed_stride(0); }
  /// From input rows to `inputs`.
  void load_input_rows(const Chunk& chunk);

  Block<T> outputs(const Chunk& chunk) { return part(outputs_, layout_.layers().back().outputs, chunk); }
  /// To be filled before `backward`: the derivative of the loss by the outputs, 0 in the lanes beyond the samples.
  Block<T> output_gradient(const Chunk& chunk) {
    return part(gradients_.back(), layout_.layers().back().outputs, chunk);
  }

  /// From inputs to outputs.
  void forward(const T* parameters, const Chunk& chunk) { run(parameters, chunk, false); }
  /// The same, and what `backward` needs.
  void forward_for_backward(const T* parameters, const Chunk& chunk) { run(parameters, chunk, true); }
  /// From the gradient by the outputs to those by each layer's outputs.
  void backward(const T* parameters, const Chunk& chunk);
  /// After `backward`: the gradient by the inputs from `first_input` on, as many as `out` has rows.
  void input_gradient(const T* parameters, const Chunk& chunk, Index first_input, Block<T> out) const;
  /// Before `weight_gradient`: samples become rows.
  void transpose_inputs(const Chunk& chunk);
  void transpose_hidden_inputs(const Chunk& chunk);
  /// The gradient by all parameters into their places, after the passes over the chunks of so many samples. The sums
  /// run over the samples in order. Padding of rows is set to 0, that of biases is left.
  void weight_gradient(Index samples, T* out) const;

  const ParameterLayout<T>& layout() const { return layout_; }

 private:
  void run(const T* parameters, const Chunk& chunk, bool keeps_slopes);
  bool is_transposed(std::size_t layer) const;
  void transpose_layer(std::size_t layer, const Chunk& chunk);
  Block<T> part(Numbers<T>& numbers, Index dim, const Chunk& chunk) const {
    return {numbers.data() + chunk.first, dim, chunk.lanes, capacity_};
  }
  ConstBlock<T> part(const Numbers<T>& numbers, Index dim, const Chunk& chunk) const {
    return {numbers.data() + chunk.first, dim, chunk.lanes, capacity_};
  }
  Index transposed_stride(std::size_t layer) const { return layout_.layers()[layer].stride + kVectorLanes<T>; }

  ParameterLayout<T> layout_;
  Activation activation_;
  SingleOutput single_output_;
  Index capacity_;                      // lanes from one row of a block to the next
  std::vector<Numbers<T>> inputs_;      // of each layer, samples in lanes
  std::vector<Numbers<T>> transposed_;  // the same, samples in rows; empty for layers that do without
  std::vector<Numbers<T>> slopes_;      // of the activation after each hidden layer
  std::vector<Numbers<T>> gradients_;   // by the outputs of each layer
  Numbers<T> outputs_;
};

extern template class NetworkTape<float>;
extern template class NetworkTape<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
