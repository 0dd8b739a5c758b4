#include "dynaplan/fit/adam.hpp"

#include <algorithm>
#include <cmath>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// What is the same for all parameters of a step.
template <class T>
struct Factors {
  T rate;          // of the first moment, its bias corrected
  T second_scale;  // 1 / sqrt of the bias correction of the second moment
};

// Segments start and end with whole vectors.
template <class T>
void update(Index start, Index size, const Factors<T>& factors, T keep, const T* gradient, T* first, T* second,
            T* parameters) {
  constexpr T kFirst = static_cast<T>(Adam<T>::kFirstDecay);
  constexpr T kSecond = static_cast<T>(Adam<T>::kSecondDecay);
  constexpr T kEpsilon = static_cast<T>(Adam<T>::kEpsilon);
  for (Index i = start; i < start + size; ++i) {
    const T g = gradient[i];
    const T m = first[i] + (T(1) - kFirst) * (g - first[i]);
    const T v = second[i] + (T(1) - kSecond) * (g * g - second[i]);
    first[i] = m;
    second[i] = v;
    parameters[i] = keep * parameters[i] - factors.rate * m / (std::sqrt(v) * factors.second_scale + kEpsilon);
  }
}

}  // namespace

template <class T>
void Adam<T>::step(const ParameterLayout<T>& layout, const Numbers<T>& gradient, double rate,
                   const std::vector<double>& decay, Numbers<T>& parameters) {
  ++steps_;
  const auto steps = static_cast<double>(steps_);
  const Factors<T> factors{static_cast<T>(rate / (1.0 - std::pow(kFirstDecay, steps))),
                           static_cast<T>(1.0 / std::sqrt(1.0 - std::pow(kSecondDecay, steps)))};
  const auto advance = [&](Index start, Index end, T keep) {
    update(start, end - start, factors, keep, gradient.data(), first_.data(), second_.data(), parameters.data());
  };
  Index done = 0;
  for (std::size_t l = 0; l < layout.layers().size(); ++l) {
    const LayerPlace& layer = layout.layers()[l];
    advance(done, layer.weights, T(1));
    done = layer.weights + layer.weights_size();
    advance(layer.weights, done, static_cast<T>(1.0 - rate * decay[std::min(l, decay.size() - 1)]));
  }
  advance(done, layout.size(), T(1));
}

template class Adam<float>;
template class Adam<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
