#pragma once

#include "dynaplan/fit/parameter_layout.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Adam with decoupled weight decay (Kingma & Ba 2015; Loshchilov & Hutter 2019), on one flat array.
/// Only weights decay, neither biases nor the bounds of log-variances.
template <class T>
class Adam {
 public:
  // The defaults of Kingma & Ba 2015.
  static constexpr double kFirstDecay = 0.9;
  static constexpr double kSecondDecay = 0.999;
  static constexpr double kEpsilon = 1e-8;

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
