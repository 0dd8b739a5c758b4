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

  /// The sum of the loss over samples and learned targets.
  double loss(Loss loss, const Numbers<T>& parameters, const TrainingRows<T>& rows, MiniBatch batch);

  /// The same, and the gradient of its mean (with the penalty of the bounds) by all parameters. The padding between
  /// them is left as it is: 0 from the start.
  double loss_and_gradient(Loss loss, const Numbers<T>& parameters, const TrainingRows<T>& rows, MiniBatch batch,
                           Numbers<T>& gradient);

  const ParameterLayout<T>& layout() const { return tape_.layout(); }
  Index samples() const { return samples_; }
  Index learned_targets() const { return static_cast<Index>(learned_.size()); }

 private:
  void gather(const TrainingRows<T>& rows, MiniBatch batch);
  LossInputs<T> loss_inputs(const T* parameters);
  Block<T> targets() { return {targets_.data(), target_dim_, batch_.lanes, padded_lanes<T>(samples_)}; }

  Index samples_;
  Index target_dim_;
  std::vector<Index> learned_;
  Chunk batch_{};
  NetworkTape<T> tape_;
  Numbers<T> target_rows_;  // of the mini-batch, samples in rows
  Numbers<T> targets_;      // the same, samples in lanes
};

extern template class NetworkPass<float>;
extern template class NetworkPass<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
