#include "dynaplan/networks/network_tape.hpp"

#include <algorithm>
#include <utility>

#include "dynaplan/core/transpose.hpp"
#include "dynaplan/networks/product.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

constexpr auto kNothing = [](Index, auto) {};

// f(z) in place of z.
template <class Function, class T>
void activate_row(T* z, Index lanes) {
  for (Index lane = 0; lane < lanes; lane += kVectorLanes<T>) {
    store_lanes(z + lane, Function::template value<T>(load_lanes<T>(z + lane)));
  }
}

// The same, and f'(z) into `slope`. A loop of its own: with a choice inside, compilers round a tanh otherwise.
template <class Function, class T>
void activate_and_differentiate_row(T* z, Index lanes, T* slope) {
  for (Index lane = 0; lane < lanes; lane += kVectorLanes<T>) {
    const LaneVector<T> x = load_lanes<T>(z + lane);
    store_lanes(z + lane, Function::template value<T>(x));
    store_lanes(slope + lane, Function::template derivative<T>(x));
  }
}

// `gradient` times the slope: what was kept or, where it follows from the value, the derivative at the value.
template <class Function, class T>
void multiply_slope(const T* kept, Index lanes, T* gradient) {
  for (Index lane = 0; lane < lanes; lane += kVectorLanes<T>) {
    LaneVector<T> slope = load_lanes(kept + lane);
    if constexpr (Function::kSlopeOfValue) slope = Function::template derivative<T>(slope);
    store_lanes(gradient + lane, load_lanes<T>(gradient + lane) * slope);
  }
}

}  // namespace

template <class T>
NetworkTape<T>::NetworkTape(const ParameterLayout<T>& layout, Activation activation, Index samples,
                            SingleOutput single_output)
    : layout_(layout),
      activation_(activation),
      single_output_(single_output),
      // One vector more than needed: rows a power of two apart would compete for the same places in the cache.
      capacity_(padded_lanes<T>(samples) + kVectorLanes<T>),
      outputs_(layout.layers().back().outputs * capacity_) {
  bool keeps_slopes = true;
  with_activation(activation, [&](auto function) { keeps_slopes = !decltype(function)::kSlopeOfValue; });
  for (std::size_t l = 0; l < layout_.layers().size(); ++l) {
    const LayerPlace& layer = layout_.layers()[l];
    const bool is_hidden = l + 1 < layout_.layers().size();
    transposed_.emplace_back(Numbers<T>::Zero(is_transposed(l) ? samples * transposed_stride(l) : 0));
    inputs_.emplace_back(layer.inputs * capacity_);
    gradients_.emplace_back(layer.outputs * capacity_);
    if (is_hidden) slopes_.emplace_back(keeps_slopes ? layer.outputs * capacity_ : 0);
  }
}

template <class T>
bool NetworkTape<T>::is_transposed(std::size_t layer) const {
  return single_output_ == SingleOutput::kBySample || layout_.layers()[layer].outputs > 1;
}

template <class T>
void NetworkTape<T>::load_input_rows(const Chunk& chunk) {
  eigen_assert(is_transposed(0));
  rows_to_block(input_row(chunk.first), transposed_stride(0), chunk.count, inputs(chunk));
}

template <class T>
void NetworkTape<T>::run(const T* parameters, const Chunk& chunk, bool keeps_slopes) {
  const std::vector<LayerPlace>& layers = layout_.layers();
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const LayerPlace& layer = layers[l];
    const MatrixView<T> weights{parameters + layer.weights, layer.stride, 1};
    const ConstBlock<T> from = part(inputs_[l], layer.inputs, chunk);
    if (l + 1 == layers.size()) {
      multiply(weights, parameters + layer.bias, from, outputs(chunk), kNothing);
      return;
    }
    with_activation(activation_, [&](auto function) {
      using Function = decltype(function);
      Block<T> slopes{};
      if (keeps_slopes && !Function::kSlopeOfValue) slopes = part(slopes_[l], layer.outputs, chunk);
      multiply(weights, parameters + layer.bias, from, part(inputs_[l + 1], layer.outputs, chunk),
               [&](Index first, Block<T> rows) {
                 for (Index i = 0; i < rows.dim; ++i) {
                   if (slopes.data == nullptr) {
                     activate_row<Function>(rows.row(i), rows.lanes);
                   } else {
                     activate_and_differentiate_row<Function>(rows.row(i), rows.lanes, slopes.row(first + i));
                   }
                 }
               });
    });
  }
}

template <class T>
void NetworkTape<T>::backward(const T* parameters, const Chunk& chunk) {
  for (std::size_t l = layout_.layers().size() - 1; l > 0; --l) {
    const LayerPlace& layer = layout_.layers()[l];
    with_activation(activation_, [&](auto function) {
      using Function = decltype(function);
      const Numbers<T>& kept = Function::kSlopeOfValue ? inputs_[l] : slopes_[l - 1];
      const ConstBlock<T> slopes = part(kept, layer.inputs, chunk);
      multiply<T>({parameters + layer.weights, 1, layer.stride}, nullptr, part(gradients_[l], layer.outputs, chunk),
                  part(gradients_[l - 1], layer.inputs, chunk), [&](Index first, Block<T> rows) {
                    for (Index i = 0; i < rows.dim; ++i) {
                      multiply_slope<Function>(slopes.row(first + i), rows.lanes, rows.row(i));
                    }
                  });
    });
  }
}

template <class T>
void NetworkTape<T>::input_gradient(const T* parameters, const Chunk& chunk, Index first_input, Block<T> out) const {
  const LayerPlace& layer = layout_.layers().front();
  multiply<T>({parameters + layer.weights + first_input, 1, layer.stride}, nullptr,
              part(gradients_.front(), layer.outputs, chunk), out, kNothing);
}

template <class T>
void NetworkTape<T>::transpose_layer(std::size_t layer, const Chunk& chunk) {
  if (!is_transposed(layer)) return;
  block_to_rows(part(std::as_const(inputs_[layer]), layout_.layers()[layer].inputs, chunk), chunk.count,
                transposed_[layer].data() + chunk.first * transposed_stride(layer), transposed_stride(layer));
}

template <class T>
void NetworkTape<T>::transpose_inputs(const Chunk& chunk) {
  transpose_layer(0, chunk);
  transpose_hidden_inputs(chunk);
}

template <class T>
void NetworkTape<T>::transpose_hidden_inputs(const Chunk& chunk) {
  for (std::size_t l = 1; l < layout_.layers().size(); ++l) transpose_layer(l, chunk);
}

template <class T>
void NetworkTape<T>::weight_gradient(Index samples, T* out) const {
  const Chunk all = whole_chunk<T>(samples);
  for (std::size_t l = 0; l < layout_.layers().size(); ++l) {
    const LayerPlace& layer = layout_.layers()[l];
    const ConstBlock<T> gradient = part(gradients_[l], layer.outputs, all);
    T* const weights = out + layer.weights;
    for (Index i = 0; i < layer.outputs; ++i) out[layer.bias + i] = lanes_of(gradient.row(i), all.lanes).sum();
    if (is_transposed(l)) {
      multiply<T>({gradient.data, gradient.stride, 1}, nullptr,
                  {transposed_[l].data(), samples, layer.stride, transposed_stride(l)},
                  {weights, layer.outputs, layer.stride, layer.stride}, kNothing);
      continue;
    }
    // Transposing the inputs would cost more than this product.
    const ConstBlock<T> inputs = part(inputs_[l], layer.inputs, all);
    const auto by_output = lanes_of(gradient.row(0), all.lanes);
    for (Index j = 0; j < layer.inputs; ++j) weights[j] = (lanes_of(inputs.row(j), all.lanes) * by_output).sum();
    std::fill(weights + layer.inputs, weights + layer.stride, T(0));
  }
}

template class NetworkTape<float>;
template class NetworkTape<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
