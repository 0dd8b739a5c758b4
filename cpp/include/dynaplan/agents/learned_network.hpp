#pragma once

#include <cstdint>
#include <vector>

#include "dynaplan/networks/adam.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A network in training: its parameters, Adam's moments, and a target network if it has one.
template <class T>
struct LearnedNetwork {
  /// Weights and biases uniform within 1 / sqrt(inputs) of the layer (as torch.nn.Linear begins), the same for (seed,
  /// number) always; the target network is equal at first.
  LearnedNetwork(const std::vector<Index>& sizes, bool has_target, std::uint64_t seed, std::uint32_t number);

  /// One step of Adam on the `count` parameters from `start`, and then, in the same pass over memory, the target
  /// network moves by the share `polyak` towards them (Polyak averaging).
  void step(Index start, Index count, const T* gradient, const AdamStep<T>& adam, T polyak);

  ParameterLayout<T> layout;
  Numbers<T> parameters;
  Numbers<T> first;   // moments
  Numbers<T> second;  // moments
  Numbers<T> target;  // its parameters, empty without one
};

extern template struct LearnedNetwork<float>;
extern template struct LearnedNetwork<double>;

/// Numbers of all layers, weights (outputs, inputs) by rows and then biases, without padding.
template <class T>
std::vector<T> without_padding(const ParameterLayout<T>& layout, const Numbers<T>& numbers);
/// The other way; `values` has as many numbers as `without_padding` gives.
template <class T>
Numbers<T> with_padding(const ParameterLayout<T>& layout, const std::vector<T>& values);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
