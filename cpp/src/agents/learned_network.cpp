#include "dynaplan/agents/learned_network.hpp"

#include <algorithm>

#include "dynaplan/agents/random_use.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// Uniform numbers in [-1, 1) one after another.
class Uniforms {
 public:
  Uniforms(std::uint64_t seed, std::uint32_t number) : stream_(stream_of(seed, number, RandomUse::kInitialWeights)) {}

  float draw() {
    if (used_ == kMaxLanes) {
      fill_uniform<float>(stream_, Purpose::kTraining, first_, 0, {numbers_, 1, kMaxLanes, kMaxLanes});
      first_ += kMaxLanes;
      used_ = 0;
    }
    return 2.0F * numbers_[used_++] - 1.0F;
  }

 private:
  Stream stream_;
  Index first_ = 0;
  Index used_ = kMaxLanes;
  alignas(64) float numbers_[kMaxLanes] = {};
};

// __restrict: compilers give up on so many arrays whose overlap they would have to test, and leave vectors unused.
template <class T>
void move(Index count, const T* __restrict gradient, const AdamStep<T> adam, T* __restrict first, T* __restrict second,
          T* __restrict parameters) {
  for (Index i = 0; i < count; ++i) parameters[i] -= adam.change(gradient[i], first[i], second[i]);
}

template <class T>
void move_both(Index count, const T* __restrict gradient, const AdamStep<T> adam, const T polyak, T* __restrict first,
               T* __restrict second, T* __restrict parameters, T* __restrict target) {
  for (Index i = 0; i < count; ++i) {
    const T moved = parameters[i] - adam.change(gradient[i], first[i], second[i]);
    parameters[i] = moved;
    target[i] = (T(1) - polyak) * target[i] + polyak * moved;
  }
}

// Calls use(position) for every number of the layers that is no padding.
template <class T, class Use>
void for_numbers(const ParameterLayout<T>& layout, const Use& use) {
  for (const LayerPlace& layer : layout.layers()) {
    for (Index i = 0; i < layer.outputs; ++i) {
      for (Index j = 0; j < layer.inputs; ++j) use(layer.weights + i * layer.stride + j);
    }
    for (Index i = 0; i < layer.outputs; ++i) use(layer.bias + i);
  }
}

}  // namespace

template <class T>
LearnedNetwork<T>::LearnedNetwork(const std::vector<Index>& sizes, bool has_target, std::uint64_t seed,
                                  std::uint32_t number)
    : layout(sizes),
      parameters(Numbers<T>::Zero(layout.size())),
      first(Numbers<T>::Zero(layout.size())),
      second(Numbers<T>::Zero(layout.size())) {
  Uniforms uniforms(seed, number);
  for (const LayerPlace& layer : layout.layers()) {
    const float bound = 1.0F / std::sqrt(static_cast<float>(layer.inputs));
    const auto draw = [&] { return static_cast<T>(bound * uniforms.draw()); };
    for (Index i = 0; i < layer.outputs; ++i) {
      for (Index j = 0; j < layer.inputs; ++j) parameters(layer.weights + i * layer.stride + j) = draw();
    }
    for (Index i = 0; i < layer.outputs; ++i) parameters(layer.bias + i) = draw();
  }
  if (has_target) target = parameters;
}

template <class T>
void LearnedNetwork<T>::step(Index start, Index count, const T* gradient, const AdamStep<T>& adam, T polyak) {
  if (target.size() == 0) {
    move(count, gradient, adam, first.data() + start, second.data() + start, parameters.data() + start);
  } else {
    move_both(count, gradient, adam, polyak, first.data() + start, second.data() + start, parameters.data() + start,
              target.data() + start);
  }
}

template <class T>
std::vector<T> without_padding(const ParameterLayout<T>& layout, const Numbers<T>& numbers) {
  std::vector<T> values;
  for_numbers(layout, [&](Index at) { values.push_back(numbers(at)); });
  return values;
}

template <class T>
Numbers<T> with_padding(const ParameterLayout<T>& layout, const std::vector<T>& values) {
  Numbers<T> numbers = Numbers<T>::Zero(layout.size());
  auto value = values.begin();
  for_numbers(layout, [&](Index at) { numbers(at) = *value++; });
  return numbers;
}

template struct LearnedNetwork<float>;
template struct LearnedNetwork<double>;
template std::vector<float> without_padding(const ParameterLayout<float>&, const Numbers<float>&);
template std::vector<double> without_padding(const ParameterLayout<double>&, const Numbers<double>&);
template Numbers<float> with_padding(const ParameterLayout<float>&, const std::vector<float>&);
template Numbers<double> with_padding(const ParameterLayout<double>&, const std::vector<double>&);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
