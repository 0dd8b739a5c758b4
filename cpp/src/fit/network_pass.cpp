#include "dynaplan/fit/network_pass.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>

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
      targets_(target_dim_ * padded_lanes<T>(samples)),
      settled_(shape.outputs() * padded_lanes<T>(samples)),
      sums_(static_cast<std::size_t>(target_dim_)),
      cutoffs_(sums_.size(), std::numeric_limits<T>::infinity()),
      clipped_squares_(sums_.size()) {
  for (Index i = 0; i < target_dim_; ++i) {
    if (std::find(constant_targets.begin(), constant_targets.end(), i) == constant_targets.end()) learned_.push_back(i);
  }
}

template <class T>
void NetworkPass<T>::use_cutoffs(const std::vector<double>& cutoffs) {
  std::transform(cutoffs.begin(), cutoffs.end(), cutoffs_.begin(),
                 [](double cutoff) { return static_cast<T>(cutoff); });
  std::fill(clipped_squares_.begin(), clipped_squares_.end(), 0.0);
}

template <class T>
void NetworkPass<T>::errors(const Numbers<T>& parameters, const TrainingRows<T>& rows, MiniBatch batch, T* errors,
                            Index stride) {
  gather(rows, batch);
  tape_.forward(parameters.data(), batch_);
  const ConstBlock<T> outputs = tape_.outputs(batch_);
  const ConstBlock<T> wanted = targets();
  for (Index target = 0; target < target_dim_; ++target) {
    const T* const output = outputs.row(target);
    std::transform(output, output + batch.count, wanted.row(target), errors + target * stride, std::minus<>());
  }
}

template <class T>
void NetworkPass<T>::add_losses(Loss loss, const Numbers<T>& parameters, const TrainingRows<T>& rows, MiniBatch batch,
                                double* sums) {
  gather(rows, batch);
  tape_.forward(parameters.data(), batch_);
  dynaplan::add_losses(loss, loss_inputs(parameters.data()), {sums});
}

template <class T>
double NetworkPass<T>::loss_and_gradient(Loss loss, const Numbers<T>& parameters, const TrainingRows<T>& rows,
                                         MiniBatch batch, const std::vector<Index>& settled, Numbers<T>& gradient) {
  gather(rows, batch);
  tape_.forward_for_backward(parameters.data(), batch_);
  LossGradient<T> at_outputs{tape_.output_gradient(batch_)};
  if (layout().has_bounds()) {
    at_outputs.low = gradient.data() + layout().low();
    at_outputs.high = gradient.data() + layout().high();
  }
  std::fill(sums_.begin(), sums_.end(), 0.0);
  add_losses_and_gradient(loss, loss_inputs(parameters.data()), {sums_.data(), clipped_squares_.data()}, at_outputs);
  backward_without(settled, parameters.data());
  tape_.transpose_hidden_inputs(batch_);
  tape_.weight_gradient(batch.count, gradient.data());
  return std::accumulate(sums_.begin(), sums_.end(), 0.0);
}

// The gradients by the outputs are there again afterwards: those of settled targets train the last layer.
template <class T>
void NetworkPass<T>::backward_without(const std::vector<Index>& settled, const T* parameters) {
  const Block<T> by_outputs = tape_.output_gradient(batch_);
  const Index kept_stride = padded_lanes<T>(samples_);
  const auto for_settled = [&](const auto& use) {
    Index kept = 0;
    for (const Index target : settled) {
      for (Index output = target; output < by_outputs.dim; output += target_dim_) {
        use(by_outputs.row(output), settled_.data() + kept++ * kept_stride);
      }
    }
  };
  for_settled([&](T* gradient, T* kept) {
    std::copy_n(gradient, batch_.lanes, kept);
    std::fill_n(gradient, batch_.lanes, T(0));
  });
  tape_.backward(parameters, batch_);
  for_settled([&](T* gradient, const T* kept) { std::copy_n(kept, batch_.lanes, gradient); });
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
  return {tape_.outputs(batch_),        targets(), batch_.count,   parameters + layout().low(),
          parameters + layout().high(), &learned_, cutoffs_.data()};
}

template class NetworkPass<float>;
template class NetworkPass<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
