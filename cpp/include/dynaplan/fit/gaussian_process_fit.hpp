#pragma once

#include <cstdint>

#include "dynaplan/core/interrupt.hpp"
#include "dynaplan/models/gaussian_process.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

struct GaussianProcessFitSettings {
  Index starts = 4;                 // of the search for each state's kernel
  Index hyperparameter_rows = 400;  // that it looks at, at most
  std::uint64_t seed = 0;
  int threads = 1;

  /// Throws ValueError.
  void validate() const;
};

/// What Gaussian processes are fitted to.
struct GaussianProcessData {
  Eigen::MatrixXd inputs;       // (N, S + A)
  Eigen::MatrixXd changes;      // (N, S)
  Eigen::VectorXd state_sizes;  // (S) the largest absolute value of a state or next state, which a change is rounded by
};

/// The kernel of each state that makes its changes likeliest, by the search of `minimise` from several starts on some
/// of the rows; then again, from the two best ends, on more of them.
///
/// An input that never varied has no effect, and changes that differ by rounding alone are constant. Throws ShapeError,
/// ValueError, NumericalError; and Error once `interrupt`, which may be null, is requested.
GaussianProcessParameters fit_gaussian_process(const GaussianProcessData& data,
                                               const GaussianProcessFitSettings& settings,
                                               const Interrupt* interrupt = nullptr);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
