#pragma once

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Samples that are worked on together: a tile of lanes.
struct Chunk {
  Index first;  // sample
  Index count;  // samples
  Index lanes;  // `count` rounded up to whole vectors
};

/// Samples are cut into chunks of kMaxLanes, by their number alone.
inline Index chunks_of(Index samples) { return (samples + kMaxLanes - 1) / kMaxLanes; }

template <class T>
Chunk chunk_of(Index samples, Index number) {
  const Index first = number * kMaxLanes;
  const Index count = samples - first < kMaxLanes ? samples - first : kMaxLanes;
  return {first, count, padded_lanes<T>(count)};
}

/// All samples as one chunk.
template <class T>
Chunk whole_chunk(Index samples) {
  return {0, samples, padded_lanes<T>(samples)};
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
