#pragma once

#include <vector>

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Who watches a fit. Called by the thread that called `fit_networks`, and by no other.
class FitObserver {
 public:
  virtual ~FitObserver() = default;
  /// All members have finished `epoch` or had stopped before. An entry a member: nan where it was not run, and
  /// `held_out` also where there are no held-out rows.
  virtual void epoch_done(Index epoch, const std::vector<double>& training, const std::vector<double>& held_out) = 0;
  /// After a `true` the members stop where they are, and their best parameters so far are the result.
  virtual bool wants_stop() = 0;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
