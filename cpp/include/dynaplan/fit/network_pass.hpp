#pragma once

#include <vector>

#include "dynaplan/fit/training_rows.hpp"
#include "dynaplan/networks/network_loss.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Rows of the training data that are taken together.
struct MiniBatch {
  const Index* rows = nullptr;
  Index count = 0;
};

/// One network on one mini-batch, forward and backward. Holds the memory for it, of one thread; a call allocates
/// nothing.
template <class T>
class NetworkPass {
 public:
  /// For mini-batches of at most `samples` rows. The `still` targets are left out of the loss: nothing is to be learned
  /// of them, and a constant that is met exactly draws the lower bound of its variance down as long as it is trained.
  NetworkPass(const NetworkShape& shape, Index samples, const std::vector<Index>& still);

  /// The sum of the loss over samples and learned targets.
  double loss(Loss loss, const Numbers<T>& parameters, const TrainingRows<T>& rows, MiniBatch batch);

  /// The same, and the gradient of its mean (with the penalty of the bounds) by all parameters. The padding between
  /// them is left as it is: 0 from the start.
  double loss_and_gradient(Loss loss, const Numbers<T>& parameters, const TrainingRows<T>& rows, MiniBatch batch,
                           Numbers<T>& gradient);

  const ParameterLayout<T>& layout() const { return layout_; }
  Index samples() const { return samples_; }
  Index learned_targets() const { return static_cast<Index>(learned_.size()); }

 private:
  void gather(const TrainingRows<T>& rows, MiniBatch batch);
  void forward(const T* parameters);
  void backward(const T* parameters, Index count, T* gradient);
  /// The inputs of a layer with samples in rows, padded with zeros to the layer's stride.
  ConstBlock<T> transposed_inputs(std::size_t layer, Index count);
  LossInputs<T> loss_inputs(const T* parameters, Index count) const;
  Block<T> block(T* data, Index dim) const { return {data, dim, lanes_, capacity_}; }

  Activation activation_;
  ParameterLayout<T> layout_;
  Index samples_;
  Index capacity_;  // lanes from one row of a block to the next
  Index lanes_ = 0;
  Index targets_;
  std::vector<Index> learned_;
  Index row_stride_;
  Numbers<T> rows_;                 // the mini-batch, samples in rows
  std::vector<Numbers<T>> inputs_;  // of each layer, samples in lanes
  std::vector<Numbers<T>> slopes_;  // of the activation after each hidden layer
  Numbers<T> outputs_;
  Numbers<T> target_lanes_;
  Numbers<T> transposed_;    // inputs of a hidden layer, samples in rows
  Numbers<T> gradients_[2];  // of a layer's outputs, and of the layer below
};

extern template class NetworkPass<float>;
extern template class NetworkPass<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
