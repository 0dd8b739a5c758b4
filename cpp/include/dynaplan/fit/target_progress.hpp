#pragma once

#include <limits>
#include <vector>

#include "dynaplan/networks/network_loss.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// How each target of a network in training does on the held-out rows.
///
/// Targets share the hidden layers but not when they are learned: noise is overfitted after a few epochs, while what
/// follows a law goes on improving. One score of all, or of the largest errors, would stop with the first. So each
/// counts by the logarithm of its own error, and stops, is settled, for itself.
class TargetProgress {
 public:
  /// `mean_losses` (targets) are what predicting the mean and variance of the training rows gives on the held-out ones:
  /// no target counts as worse than that. Only the `learned` ones count at all.
  TargetProgress(std::vector<Index> learned, std::vector<double> mean_losses, Index patience, double improvement);

  /// Takes the mean loss of each target after an epoch. Returns whether all together have never been better.
  bool take(Loss loss, const std::vector<double>& losses);

  /// Targets that have not improved for so long, in ascending order.
  const std::vector<Index>& settled() const { return settled_; }
  bool all_settled() const { return settled_.size() == learned_.size(); }
  /// Targets that the best epoch predicts worse than their mean does.
  const std::vector<Index>& unlearned() const { return unlearned_; }

 private:
  struct Target {
    double reference = std::numeric_limits<double>::infinity();  // what an improvement is measured against
    Index since_improvement = 0;
  };

  std::vector<Index> learned_;
  std::vector<double> mean_losses_;
  Index patience_;
  double improvement_;  // of a logarithm
  double best_ = std::numeric_limits<double>::infinity();
  std::vector<Target> targets_;  // as `learned_`
  std::vector<Index> settled_;
  std::vector<Index> unlearned_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
