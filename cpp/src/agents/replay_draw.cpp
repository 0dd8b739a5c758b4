#include "dynaplan/agents/replay_draw.hpp"

#include <algorithm>
#include <cmath>

#include "dynaplan/agents/random_use.hpp"
#include "dynaplan/core/check.hpp"
#include "dynaplan/core/error.hpp"
#include "dynaplan/core/transpose.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// A row is read once, from anywhere in a large array: asked for early, the rows arrive while others are transposed.
void prefetch(const float* row, Index width) {
  constexpr Index kLine = 64 / static_cast<Index>(sizeof(float));
  for (Index i = 0; i < width; i += kLine) __builtin_prefetch(row + i);
}

}  // namespace

ReplayDraw::ReplayDraw(const TransitionStore& real, const TransitionStore& imagined, double ratio, Index batch_size,
                       std::uint64_t seed, std::uint64_t update)
    : real_(real),
      imagined_(imagined),
      real_samples_(static_cast<Index>(std::llround(ratio * static_cast<double>(batch_size)))),
      seed_(seed),
      update_(update) {
  if (imagined.size() == 0) real_samples_ = batch_size;
  if (real.size() > 0) return;
  real_samples_ = 0;
  if (imagined.size() == 0) throw ValueError("update: no transitions to learn from; add some first");
}

const float* ReplayDraw::row(Index sample) const {
  const TransitionStore& store = sample < real_samples_ ? real_ : imagined_;
  const Stream stream = stream_of(seed_, update_, RandomUse::kBatch);
  const auto words = philox({static_cast<std::uint32_t>(sample), 0,
                             stream.iteration * 4U + static_cast<std::uint32_t>(Purpose::kTraining), stream.call},
                            key_of(stream.seed));
  return store.row(below(words[0], store.size()));
}

void ReplayDraw::fill(const Chunk& chunk, float* scratch, const SacBatch<float>& batch) const {
  const Index width = real_.width();
  const float* rows[kMaxLanes];
  for (Index i = 0; i < chunk.count; ++i) {
    rows[i] = row(chunk.first + i);
    prefetch(rows[i], width);
  }
  for (Index i = 0; i < chunk.count; ++i) std::copy_n(rows[i], real_.stride(), scratch + i * real_.stride());
  rows_to_block(scratch, real_.stride(), chunk.count, batch.transitions);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
