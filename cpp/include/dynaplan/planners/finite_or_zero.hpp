#pragma once

#include <cmath>

#include "dynaplan/core/level.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A derivative, or 0 where it is none, so that one entry does not spoil the others.
inline double finite_or_zero(double value) { return std::isfinite(value) ? value : 0.0; }

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
