#pragma once

#include <vector>

#include "dynaplan/fit/fit_observer.hpp"
#include "dynaplan/fit/member_trainer.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

struct NetworkFit {
  NetworkParameters parameters;
  std::vector<MemberHistory> history;  // an entry a member
  bool interrupted = false;
};

/// Trains `members` networks of one shape, each on its own, with units (means and scales) of the training rows.
/// `held_out` may have no rows: then nothing stops a member early and its last parameters are kept. From `initial`
/// (as many members, the same shape) training continues, its weights brought to the new units first; else it starts
/// from random weights. With `classify` the rewards are 0 or 1, there are neither held-out rows nor `initial`, and the
/// reward that the networks predict are the log-odds of a 1. The result is the same for any number of threads. Throws
/// ShapeError, ValueError for arguments that do not fit, NumericalError if what varies does so by too much or too
/// little for float64, or a loss stops being finite.
NetworkFit fit_networks(const NetworkShape& shape, Index members, const NetworkData& training,
                        const NetworkData& held_out, const NetworkFitSettings& settings,
                        const NetworkParameters* initial = nullptr, FitObserver* observer = nullptr);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
