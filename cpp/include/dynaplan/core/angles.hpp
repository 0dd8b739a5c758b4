#pragma once

#include <cmath>
#include <vector>

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

inline constexpr double kTurn = 6.283185307179586476925;  // in radians

/// A state that is an angle: values that differ by a whole number of periods are the same. It is kept from `low` to
/// `high`, a period apart; of one that counts full turns on they are infinite.
struct Angle {
  Index state = 0;
  double low = 0.0;
  double high = 0.0;
  double period = kTurn;

  bool is_wrapped() const { return std::isfinite(low); }
  /// From the state's unit to radians.
  double rate() const { return kTurn / period; }
};

using Angles = std::vector<Angle>;  // ascending

/// Throws ValueError unless they are states, ascending, each with a range as long as its period, or none.
void validate(const Angles& angles, Index state_dim);

/// Writes the period of each of so many states, 0 of those that are no angles; `angles` may be null.
void assign_periods(const Angles* angles, Index state_dim, std::vector<double>& periods);

/// The short way round that a difference of two values goes, at most half a period.
inline double short_way(double difference, double period) { return std::remainder(difference, period); }

/// Brings angles into their ranges; a value that is within stays as it is, either end included, and so does a nan.
template <class T>
void wrap(const Angles& angles, Block<T> states);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
