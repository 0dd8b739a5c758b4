#pragma once

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The mean square of errors without what a few large ones add: s^2 for which the mean of min(e^2, c^2 s^2), c Huber's
/// cutoff, is what Gaussian errors of variance s^2 have (Huber 1981, "Robust statistics", sec. 6.4, proposal 2). 0
/// where most of them are 0.
template <class T>
double robust_square(const T* errors, Index count);

extern template double robust_square<float>(const float*, Index);
extern template double robust_square<double>(const double*, Index);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
