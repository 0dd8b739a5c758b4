#include "dynaplan/fit/network_pass.hpp"

#include <algorithm>

#include "dynaplan/core/transpose.hpp"
#include "dynaplan/networks/product.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// y = f(z), and z becomes f'(z): the backward pass then needs one product and no exponential.
template <class Function, class T>
void activate_and_differentiate(Block<T> z, Block<T> y) {
  for (Index i = 0; i < z.dim; ++i) {
    for (Index lane = 0; lane < z.lanes; lane += kVectorLanes<T>) {
      const LaneVector<T> x = load_lanes(z.row(i) + lane);
      store_lanes(y.row(i) + lane, Function::template value<T>(x));
      store_lanes(z.row(i) + lane, Function::template derivative<T>(x));
    }
  }
}

constexpr auto kNothing = [](Index, auto) {};

}  // namespace

template <class T>
NetworkPass<T>::NetworkPass(const NetworkShape& shape, Index samples, const std::vector<Index>& still)
    : activation_(shape.activation),
      layout_(shape.layer_sizes(), shape.bounds()),
      samples_(samples),
      capacity_(padded_lanes<T>(samples)),
      targets_(shape.targets()),
      row_stride_(padded_lanes<T>(shape.inputs()) + padded_lanes<T>(shape.targets())),
      rows_(samples * row_stride_),
      outputs_(shape.outputs() * capacity_),
      target_lanes_(targets_ * capacity_) {
  for (Index i = 0; i < targets_; ++i) {
    if (std::find(still.begin(), still.end(), i) == still.end()) learned_.push_back(i);
  }
  Index widest = 0;
  for (const LayerPlace& layer : layout_.layers()) {
    inputs_.emplace_back(layer.inputs * capacity_);
    if (inputs_.size() < layout_.layers().size()) slopes_.emplace_back(layer.outputs * capacity_);
    widest = std::max({widest, layer.outputs, layer.stride});
  }
  transposed_.resize(samples * widest);
  for (Numbers<T>& gradient : gradients_) gradient.resize(widest * capacity_);
}

template <class T>
double NetworkPass<T>::loss(Loss loss, const Numbers<T>& parameters, const TrainingRows<T>& rows, MiniBatch batch) {
  gather(rows, batch);
  forward(parameters.data());
  return loss_sum(loss, loss_inputs(parameters.data(), batch.count));
}

template <class T>
double NetworkPass<T>::loss_and_gradient(Loss loss, const Numbers<T>& parameters, const TrainingRows<T>& rows,
                                         MiniBatch batch, Numbers<T>& gradient) {
  gather(rows, batch);
  forward(parameters.data());
  LossGradient<T> at_outputs{block(gradients_[0].data(), layout_.layers().back().outputs)};
  if (layout_.has_bounds()) {
    at_outputs.low = gradient.data() + layout_.low();
    at_outputs.high = gradient.data() + layout_.high();
  }
  const double sum = loss_sum_and_gradient(loss, loss_inputs(parameters.data(), batch.count), at_outputs);
  backward(parameters.data(), batch.count, gradient.data());
  return sum;
}

template <class T>
void NetworkPass<T>::gather(const TrainingRows<T>& rows, MiniBatch batch) {
  eigen_assert(batch.count > 0 && batch.count <= samples_);
  lanes_ = padded_lanes<T>(batch.count);
  for (Index i = 0; i < batch.count; ++i) {
    std::copy_n(rows.row(batch.rows[i]), row_stride_, rows_.data() + i * row_stride_);
  }
  const Index inputs = layout_.layers().front().inputs;
  rows_to_block(rows_.data(), row_stride_, batch.count, block(inputs_[0].data(), inputs));
  rows_to_block(rows_.data() + rows.targets_at(), row_stride_, batch.count, block(target_lanes_.data(), targets_));
}

template <class T>
void NetworkPass<T>::forward(const T* parameters) {
  const std::vector<LayerPlace>& layers = layout_.layers();
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const LayerPlace& layer = layers[l];
    const MatrixView<T> weights{parameters + layer.weights, layer.stride, 1};
    const ConstBlock<T> inputs = block(inputs_[l].data(), layer.inputs);
    if (l + 1 == layers.size()) {
      multiply(weights, parameters + layer.bias, inputs, block(outputs_.data(), layer.outputs), kNothing);
      return;
    }
    const Block<T> activated = block(inputs_[l + 1].data(), layer.outputs);
    with_activation(activation_, [&](auto function) {
      multiply(weights, parameters + layer.bias, inputs, block(slopes_[l].data(), layer.outputs),
               [&](Index first, Block<T> rows) {
                 activate_and_differentiate<decltype(function)>(rows, activated.rows(first, rows.dim));
               });
    });
  }
}

template <class T>
LossInputs<T> NetworkPass<T>::loss_inputs(const T* parameters, Index count) const {
  const Index outputs = layout_.layers().back().outputs;
  return {{outputs_.data(), outputs, lanes_, capacity_},
          {target_lanes_.data(), targets_, lanes_, capacity_},
          count,
          parameters + layout_.low(),
          parameters + layout_.high(),
          &learned_};
}

template <class T>
ConstBlock<T> NetworkPass<T>::transposed_inputs(std::size_t layer, Index count) {
  const LayerPlace& shape = layout_.layers()[layer];
  if (layer == 0) return {rows_.data(), count, shape.stride, row_stride_};
  block_to_rows<T>(block(inputs_[layer].data(), shape.inputs), count, transposed_.data(), shape.stride);
  for (Index i = 0; i < count && shape.inputs < shape.stride; ++i) {
    std::fill(transposed_.data() + i * shape.stride + shape.inputs, transposed_.data() + (i + 1) * shape.stride, T(0));
  }
  return {transposed_.data(), count, shape.stride, shape.stride};
}

template <class T>
void NetworkPass<T>::backward(const T* parameters, Index count, T* gradient) {
  const std::vector<LayerPlace>& layers = layout_.layers();
  for (std::size_t l = layers.size(); l-- > 0;) {
    const LayerPlace& layer = layers[l];
    const Block<T> above = block(gradients_[0].data(), layer.outputs);
    for (Index i = 0; i < layer.outputs; ++i) gradient[layer.bias + i] = lanes_of(above, i).sum();
    multiply<T>({above.data, above.stride, 1}, nullptr, transposed_inputs(l, count),
                {gradient + layer.weights, layer.outputs, layer.stride, layer.stride}, kNothing);
    if (l == 0) return;
    const ConstBlock<T> slopes = block(slopes_[l - 1].data(), layer.inputs);
    multiply<T>({parameters + layer.weights, 1, layer.stride}, nullptr, above,
                block(gradients_[1].data(), layer.inputs), [&](Index first, Block<T> rows) {
                  for (Index i = 0; i < rows.dim; ++i) {
                    lanes_of(rows, i) *= lanes_of(slopes.row(first + i), slopes.lanes);
                  }
                });
    std::swap(gradients_[0], gradients_[1]);
  }
}

template class NetworkPass<float>;
template class NetworkPass<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
