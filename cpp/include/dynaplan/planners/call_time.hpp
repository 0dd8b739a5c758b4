#pragma once

#include <algorithm>

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// How long calls of a function outside take, of which each row of a batch is a part. What a row takes is the least
/// that it took on average in a call so far: never less than what another row adds, however much calls cost by
/// themselves.
class CallTime {
 public:
  bool is_known() const { return max_rows_ > 0; }
  /// Whether a call of several rows has told what rows take.
  bool knows_rows() const { return max_rows_ > 1; }

  /// Learns from a call; the first one has one row.
  void took(Index rows, double seconds) {
    const double of_row = std::max(seconds, kMinSeconds) / static_cast<double>(rows);
    if (rows == 1) of_one_ = of_one_ > 0.0 ? std::min(of_one_, of_row) : of_row;
    of_row_ = is_known() ? std::min(of_row_, of_row) : of_row;
    max_rows_ = std::max(max_rows_, rows);
  }

  double of(Index rows) const { return std::max(of_one_, of_row_ * static_cast<double>(rows)); }

  /// The most rows that a call of so many seconds may have; at least one.
  Index rows_in(double seconds) const {
    constexpr double kMaxRows = 1e9;
    return static_cast<Index>(std::clamp(seconds / of_row_, 1.0, kMaxRows));
  }

 private:
  static constexpr double kMinSeconds = 1e-9;

  double of_one_ = 0.0;  // a call of one row
  double of_row_ = 0.0;
  Index max_rows_ = 0;  // that a call has had
};

/// Measures calls by their time: of one row, then of as many more as take a small part of the seconds that there are,
/// going by those before.
/// `call` makes one of so many rows and returns its seconds.
template <class Call>
CallTime measured(double seconds, Index max_rows, const Call& call) {
  constexpr double kShare = 0.125;
  CallTime time;
  Index most = 0;
  for (Index rows = 1; rows > most; rows = std::min(time.rows_in(kShare * seconds), max_rows)) {
    time.took(rows, call(rows));
    most = rows;
  }
  return time;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
