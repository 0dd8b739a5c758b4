#include "dynaplan/networks/adam.hpp"

#include <algorithm>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// Segments start and end with whole vectors.
template <class T>
void update(Index start, Index size, const AdamStep<T>& step, T keep, const T* gradient, T* first, T* second,
            T* parameters) {
  for (Index i = start; i < start + size; ++i) {
    parameters[i] = keep * parameters[i] - step.change(gradient[i], first[i], second[i]);
  }
}

}  // namespace

template <class T>
void Adam<T>::step(const ParameterLayout<T>& layout, const Numbers<T>& gradient, double rate,
                   const std::vector<double>& decay, Numbers<T>& parameters) {
  const AdamStep<T> one(rate, ++steps_);
  const auto advance = [&](Index start, Index end, T keep) {
    update(start, end - start, one, keep, gradient.data(), first_.data(), second_.data(), parameters.data());
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
