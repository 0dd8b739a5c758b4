#pragma once

#include "dynaplan/agents/sac_update.hpp"
#include "dynaplan/agents/transition_store.hpp"
#include "dynaplan/networks/chunk.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The rows of one batch: the first `real` samples are drawn from the real transitions, the others from the imagined
/// ones, each uniformly and with replacement.
class ReplayDraw {
 public:
  /// `ratio` of the batch is real, rounded; all of it where there is nothing imagined, none where there is nothing
  /// real. Throws ValueError if both stores are empty.
  ReplayDraw(const TransitionStore& real, const TransitionStore& imagined, double ratio, Index batch_size,
             std::uint64_t seed, std::uint64_t update);

  Index real_samples() const { return real_samples_; }
  /// The row that a sample is.
  const float* row(Index sample) const;
  /// Numbers of scratch that `fill` needs.
  static Index scratch_size(const TransitionStore& store) { return kMaxLanes * store.stride(); }
  /// Fills the transitions of a chunk.
  void fill(const Chunk& chunk, float* scratch, const SacBatch<float>& batch) const;

 private:
  const TransitionStore& real_;
  const TransitionStore& imagined_;
  Index real_samples_;
  std::uint64_t seed_;
  std::uint64_t update_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
