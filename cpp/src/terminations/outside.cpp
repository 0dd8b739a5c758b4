#include "dynaplan/terminations/outside.hpp"

#include <string>

#include "dynaplan/core/error.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
Outside<T>::Outside(const Eigen::VectorXd& low, const Eigen::VectorXd& high) {
  if (low.size() != high.size()) {
    throw ShapeError("low, high: got " + std::to_string(low.size()) + " and " + std::to_string(high.size()) +
                     " entries, must have as many of each");
  }
  for (Index i = 0; i < low.size(); ++i) {
    if (!(low(i) <= high(i))) throw ValueError("low, high: low must not exceed high, nor be nan");
    low_.push_back(static_cast<T>(low(i)));
    high_.push_back(static_cast<T>(high(i)));
  }
}

template <class T>
void Outside<T>::mark(ConstBlock<T> /*state*/, ConstBlock<T> /*action*/, ConstBlock<T> next, T* alive) const {
  for (Index i = 0; i < next.dim; ++i) {
    const T low = low_[static_cast<std::size_t>(i)];
    const T high = high_[static_cast<std::size_t>(i)];
    const T* value = next.row(i);
    for (Index k = 0; k < next.lanes; ++k) {
      const bool inside = value[k] >= low && value[k] <= high;
      alive[k] = inside ? alive[k] : T(0);
    }
  }
}

template <class T>
void Outside<T>::require_dims(Index state_dim) const {
  if (static_cast<Index>(low_.size()) != state_dim) {
    throw ShapeError("termination: has bounds for " + std::to_string(low_.size()) +
                     " states, must have them for the model's " + std::to_string(state_dim));
  }
}

template class Outside<float>;
template class Outside<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
