#include "dynaplan/fit/target_progress.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

TargetProgress::TargetProgress(std::vector<Index> learned, std::vector<double> mean_losses, Index patience,
                               double improvement)
    : learned_(std::move(learned)),
      mean_losses_(std::move(mean_losses)),
      patience_(patience),
      improvement_(std::log1p(-improvement)),
      targets_(learned_.size()) {}

bool TargetProgress::take(Loss loss, const std::vector<double>& losses) {
  double total = 0.0;
  std::vector<Index> unlearned;
  settled_.clear();
  for (std::size_t n = 0; n < learned_.size(); ++n) {
    const auto target = static_cast<std::size_t>(learned_[n]);
    if (losses[target] > mean_losses_[target]) unlearned.push_back(learned_[n]);
    const double score = logarithmic(loss, std::min(losses[target], mean_losses_[target]));
    total += score;
    Target& progress = targets_[n];
    if (progress.since_improvement < patience_) {
      const bool improves = score < progress.reference + improvement_;
      progress.since_improvement = improves ? 0 : progress.since_improvement + 1;
      if (improves) progress.reference = score;
    }
    if (progress.since_improvement >= patience_) settled_.push_back(learned_[n]);
  }
  if (!(total < best_)) return false;
  best_ = total;
  unlearned_ = std::move(unlearned);
  return true;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
