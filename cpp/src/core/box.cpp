#include "dynaplan/core/box.hpp"

#include <cmath>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
Box<T>::Box(const Eigen::VectorXd& low, const Eigen::VectorXd& high) {
  require_same_size("low", low.size(), "high", high.size());
  for (Index i = 0; i < low.size(); ++i) {
    require_bounds(low(i), high(i));
    low_.push_back(static_cast<T>(low(i)));
    high_.push_back(static_cast<T>(high(i)));
  }
}

template <class T>
void Box<T>::clear_outside(ConstBlock<T> x, T* values) const {
  for (Index i = 0; i < dim(); ++i) {
    const T low = low_[static_cast<std::size_t>(i)];
    const T high = high_[static_cast<std::size_t>(i)];
    const T* value = x.row(i);
    for (Index k = 0; k < x.lanes; ++k) {
      const bool inside = value[k] >= low && value[k] <= high;
      values[k] = inside ? values[k] : T(0);
    }
  }
}

template <class T>
void Box<T>::add_jumps(Jumps& jumps) const {
  for (Index i = 0; i < dim(); ++i) {
    const auto low = static_cast<double>(low_[static_cast<std::size_t>(i)]);
    const auto high = static_cast<double>(high_[static_cast<std::size_t>(i)]);
    if (std::isfinite(low) || std::isfinite(high)) jumps.places.push_back({i, -1, low, high, false});
  }
}

template class Box<float>;
template class Box<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
