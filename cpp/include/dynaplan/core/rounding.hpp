#pragma once

#include <limits>

#include "dynaplan/core/level.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The largest error of rounding a number to a type, as a share of it.
template <class T>
inline constexpr double kErrorOfRounding = 0.5 * std::numeric_limits<T>::epsilon();

/// The product rounded by itself: compilers may fuse `a * b + c` into one rounding on the levels that can, and the same
/// computation would not give the same bits on all of them, nor those of plain Python.
inline double rounded_product(double a, double b) {
  double product = a * b;
#if defined(__x86_64__)
  __asm__("" : "+x"(product));
#elif defined(__aarch64__)
  __asm__("" : "+w"(product));
#else
  __asm__("" : "+m"(product));
#endif
  return product;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
