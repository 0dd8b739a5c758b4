#pragma once

#include "dynaplan/rewards/expansion.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// On which side of a shape a point must be, and how far from its surface at least. As a function that must not be
/// above 0: sign x (distance to the surface, negative inside) + margin.
struct Clearance {
  bool is_outside = true;
  double margin = 0.0;

  double sign() const { return is_outside ? -1.0 : 1.0; }
};

/// Adds factor times the length of a gap (n) to the derivatives by its entries, variables of a step. Along a unit
/// vector (n), if not null, the gap keeps its length.
template <class T>
void add_length(const Index* entries, const T* gap, const T* along, Index count, T length, T factor,
                RewardExpansion<T>& out) {
  for (Index i = 0; i < count; ++i) {
    out.gradient[entries[i]] += factor * gap[i] / length;
    for (Index j = 0; j < count; ++j) {
      const T of_gap = gap[i] / length * (gap[j] / length);
      const T of_direction = along != nullptr ? along[i] * along[j] : T(0);
      out.second(entries[i], entries[j]) += factor * ((i == j ? T(1) : T(0)) - of_gap - of_direction) / length;
    }
  }
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
