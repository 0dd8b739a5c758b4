#pragma once

#include "dynaplan/core/random.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// What an agent draws for; with the seed and a count of calls it identifies a draw.
enum class RandomUse : std::uint32_t { kInitialWeights = 0, kBatch, kNextActions, kActions, kActing, kExploring };

/// `call` counts networks, updates or calls of `act`; beyond 2^32 it wraps around.
constexpr Stream stream_of(std::uint64_t seed, std::uint64_t call, RandomUse use) {
  return {seed, static_cast<std::uint32_t>(call), static_cast<std::uint32_t>(use)};
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
