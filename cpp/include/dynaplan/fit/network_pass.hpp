#pragma once

#include <vector>

#include "dynaplan/fit/training_rows.hpp"
#include "dynaplan/networks/network_loss.hpp"
#include "dynaplan/networks/network_tape.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Rows of the training data that are taken together.
struct MiniBatch {
  const Index* rows = nullptr;
  Index count = 0;
};

/// The loss of one network on one mini-batch, and its gradient. Holds the memory for it, of one thread; a call
/// allocates nothing.
template <class T>
class NetworkPass {
 public:
  /// For mini-batches of at most `samples` rows. `constant_targets` are left out of the loss: there is nothing to learn
  /// about them, and a constant that is met exactly draws down the lower bound of its variance for as long as it is
  /// trained.
  NetworkPass(const NetworkShape& shape, Index samples, const std::vector<Index>& constant_targets);

  /// Where Loss::kHuber clips the errors of each target, from now on.
  void use_cutoffs(const std::vector<double>& cutoffs);
  /// Since then, of each learned target: the sum over all samples met in training of the squares of errors so clipped.
  const std::vector<double>& clipped_squares() const { return clipped_squares_; }

  /// Writes the error of each target, one sample after another from `errors + target * stride` on.
  void errors(const Numbers<T>& parameters, const TrainingRows<T>& rows, MiniBatch batch, T* errors, Index stride);

  /// Adds each learned target's sum of the loss over the samples to `sums` (targets).
  void add_losses(Loss loss, const Numbers<T>& parameters, const TrainingRows<T>& rows, MiniBatch batch, double* sums);

  /// Returns the sum over samples and learned targets, and the gradient of its mean (with the penalty of the bounds) by
  /// all parameters; by those of the hidden layers as if the loss had no `settled` targets. The padding between the
  /// parameters is left as it is: 0 from the start.
  double loss_and_gradient(Loss loss, const Numbers<T>& parameters, const TrainingRows<T>& rows, MiniBatch batch,
                           const std::vector<Index>& settled, Numbers<T>& gradient);

  const ParameterLayout<T>& layout() const { return tape_.layout(); }
  Index samples() const { return samples_; }
  Index target_dim() const { return target_dim_; }
  const std::vector<Index>& learned() const { return learned_; }

 private:
  void gather(const TrainingRows<T>& rows, MiniBatch batch);
  LossInputs<T> loss_inputs(const T* parameters);
  void backward_without(const std::vector<Index>& settled, const T* parameters);
  Block<T> targets() { return {targets_.data(), target_dim_, batch_.lanes, padded_lanes<T>(samples_)}; }

  Index samples_;
  Index target_dim_;
  std::vector<Index> learned_;
  Chunk batch_{};
  NetworkTape<T> tape_;
  Numbers<T> target_rows_;  // of the mini-batch, samples in rows
  Numbers<T> targets_;      // the same, samples in lanes
  Numbers<T> settled_;      // gradients by the outputs of settled targets
  std::vector<double> sums_;
  std::vector<T> cutoffs_;
  std::vector<double> clipped_squares_;
};

extern template class NetworkPass<float>;
extern template class NetworkPass<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
