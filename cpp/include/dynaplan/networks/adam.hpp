#pragma once

#include <cmath>

#include "dynaplan/networks/parameter_layout.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// What one step of Adam does to each parameter (Kingma & Ba 2015, algorithm 1, with its defaults).
template <class T>
struct AdamStep {
  static constexpr double kFirstDecay = 0.9;
  static constexpr double kSecondDecay = 0.999;
  static constexpr double kEpsilon = 1e-8;

  /// `number` counts from 1.
  AdamStep(double learning_rate, Index number)
      : rate(static_cast<T>(learning_rate / (1.0 - std::pow(kFirstDecay, static_cast<double>(number))))),
        second_scale(static_cast<T>(1.0 / std::sqrt(1.0 - std::pow(kSecondDecay, static_cast<double>(number))))) {}

  /// What to take from a parameter; its moments move on.
  [[gnu::always_inline]] T change(T gradient, T& first, T& second) const {
    constexpr T kFirst = static_cast<T>(kFirstDecay);
    constexpr T kSecond = static_cast<T>(kSecondDecay);
    const T m = first + (T(1) - kFirst) * (gradient - first);
    const T v = second + (T(1) - kSecond) * (gradient * gradient - second);
    first = m;
    second = v;
    return rate * m / (std::sqrt(v) * second_scale + static_cast<T>(kEpsilon));
  }

  T rate;          // of the first moment, its bias corrected
  T second_scale;  // 1 / sqrt of the bias correction of the second moment
};

/// Adam with decoupled weight decay (Kingma & Ba 2015; Loshchilov & Hutter 2019), on one flat array.
/// Only weights decay, neither biases nor the bounds of log-variances.
template <class T>
class Adam {
 public:
  explicit Adam(Index size) : first_(Numbers<T>::Zero(size)), second_(Numbers<T>::Zero(size)) {}

  /// One step: `parameters` -= rate x (corrected first moment / (sqrt(corrected second moment) + epsilon)), after the
  /// weights have shrunk by the share rate x decay; `decay` has one number for all layers, or one for each.
  void step(const ParameterLayout<T>& layout, const Numbers<T>& gradient, double rate, const std::vector<double>& decay,
            Numbers<T>& parameters);

 private:
  Index steps_ = 0;
  Numbers<T> first_;
  Numbers<T> second_;
};

extern template class Adam<float>;
extern template class Adam<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
