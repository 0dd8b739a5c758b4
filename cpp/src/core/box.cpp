#include "dynaplan/core/box.hpp"

#include <string>

#include "dynaplan/core/error.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
Box<T>::Box(const Eigen::VectorXd& low, const Eigen::VectorXd& high) {
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

template class Box<float>;
template class Box<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
