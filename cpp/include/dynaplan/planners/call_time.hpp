#pragma once

#include <algorithm>

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// How long calls of a function outside take: so long for a call, and so long for each row of its batch.
class CallTime {
 public:
  bool is_known() const { return of_one_ > 0.0; }

  /// Learns from a call; the first one has one row, for which all its time counts. Of what several rows take half is
  /// theirs at least: a call of one that was held up must not make rows look cheap.
  void took(Index rows, double seconds) {
    seconds = std::max(seconds, kMinSeconds);
    const auto count = static_cast<double>(rows);
    if (rows == 1) {
      of_one_ = is_known() ? std::min(of_one_, seconds) : seconds;
      of_row_ = of_row_ > 0.0 ? std::min(of_row_, of_one_) : of_one_;
    } else {
      of_row_ = std::max((seconds - of_one_) / (count - 1.0), 0.5 * seconds / count);
    }
  }

  double of(Index rows) const { return of_call() + of_row_ * static_cast<double>(rows); }

  /// The most rows that a call of so many seconds may have; at least one.
  Index rows_in(double seconds) const {
    constexpr double kMaxRows = 1e9;
    return static_cast<Index>(std::clamp((seconds - of_call()) / of_row_, 1.0, kMaxRows));
  }

 private:
  static constexpr double kMinSeconds = 1e-9;

  double of_call() const { return std::max(of_one_ - of_row_, 0.0); }

  double of_one_ = 0.0;  // a call of one row
  double of_row_ = 0.0;
};

/// Measures calls by their time: of one row, then, where that is little of the seconds that there are, of some more.
/// `call` makes one of so many rows and returns its seconds.
template <class Call>
CallTime measured(double seconds, Index max_rows, const Call& call) {
  constexpr double kShare = 0.125;
  CallTime time;
  time.took(1, call(Index{1}));
  const Index rows = std::min(time.rows_in(kShare * seconds), max_rows);
  if (rows > 1) time.took(rows, call(rows));
  return time;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
