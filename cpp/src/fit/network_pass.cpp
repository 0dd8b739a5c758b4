#include "dynaplan/fit/network_pass.hpp"

#include <algorithm>

#include "dynaplan/core/transpose.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
NetworkPass<T>::NetworkPass(const NetworkShape& shape, Index samples, const std::vector<Index>& constant_targets)
    : samples_(samples),
      target_dim_(shape.targets()),
      tape_(ParameterLayout<T>(shape.layer_sizes(), shape.bounds()), shape.activation, samples,
            SingleOutput::kBySample),
      target_rows_(samples * padded_lanes<T>(target_dim_)),
      targets_(target_dim_ * padded_lanes<T>(samples)) {
  for (Index i = 0; i < target_dim_; ++i) {
    if (std::find(constant_targets.begin(), constant_targets.end(), i) == constant_targets.end()) learned_.push_back(i);
  }
}

template <class T>
double NetworkPass<T>::loss(Loss loss, const Numbers<T>& parameters, const TrainingRows<T>& rows, MiniBatch batch) {
  gather(rows, batch);
  tape_.forward(parameters.data(), batch_);
  return loss_sum(loss, loss_inputs(parameters.data()));
}

template <class T>
double NetworkPass<T>::loss_and_gradient(Loss loss, const Numbers<T>& parameters, const TrainingRows<T>& rows,
                                         MiniBatch batch, Numbers<T>& gradient) {
  gather(rows, batch);
  tape_.forward_for_backward(parameters.data(), batch_);
  LossGradient<T> at_outputs{tape_.output_gradient(batch_)};
  if (layout().has_bounds()) {
    at_outputs.low = gradient.data() + layout().low();
    at_outputs.high = gradient.data() + layout().high();
  }
  const double sum = loss_sum_and_gradient(loss, loss_inputs(parameters.data()), at_outputs);
  tape_.backward(parameters.data(), batch_);
  tape_.transpose_hidden_inputs(batch_);
  tape_.weight_gradient(batch.count, gradient.data());
  return sum;
}

template <class T>
void NetworkPass<T>::gather(const TrainingRows<T>& rows, MiniBatch batch) {
  eigen_assert(batch.count > 0 && batch.count <= samples_);
  batch_ = whole_chunk<T>(batch.count);
  const Index target_stride = padded_lanes<T>(target_dim_);
  for (Index i = 0; i < batch.count; ++i) {
    const T* const row = rows.row(batch.rows[i]);
    std::copy_n(row, rows.targets_at(), tape_.input_row(i));
    std::copy_n(row + rows.targets_at(), target_stride, target_rows_.data() + i * target_stride);
  }
  tape_.load_input_rows(batch_);
  rows_to_block(target_rows_.data(), target_stride, batch.count, targets());
}

template <class T>
LossInputs<T> NetworkPass<T>::loss_inputs(const T* parameters) {
  return {tape_.outputs(batch_),        targets(), batch_.count, parameters + layout().low(),
          parameters + layout().high(), &learned_};
}

template class NetworkPass<float>;
template class NetworkPass<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
