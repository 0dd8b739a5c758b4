#pragma once

#include <array>
#include <cstdint>

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): four random words of a counter.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// The key of a seed.
constexpr std::array<std::uint32_t, 2> key_of(std::uint64_t seed) {
  return {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
}

/// A whole number below `limit` from a random word, by multiplication; its bias, limit / 2^32, does not matter here.
constexpr Index below(std::uint32_t word, Index limit) {
  return static_cast<Index>((static_cast<std::uint64_t>(word) * static_cast<std::uint64_t>(limit)) >> 32);
}

/// What a number is drawn for; part of the counter, so that two uses never share their numbers.
enum class Purpose : std::uint32_t { kActions = 0, kDynamics = 1, kMoment = 2, kTraining = 3 };

/// Where in the random sequence a computation stands: same stream, same numbers, whatever the thread count.
struct Stream {
  std::uint64_t seed = 0;
  std::uint32_t call = 0;
  std::uint32_t iteration = 0;
};

/// Rows of normals that a draw of `dim` of them uses up: four are made at a time, and each draw starts with fresh ones.
constexpr Index normal_rows(Index dim) { return (dim + 3) / 4 * 4; }

/// Standard normals for rows `first_row ...` of a block, one candidate a lane; the value of (candidate, row) is the
/// same however candidates are cut into blocks. `first_row` is a multiple of 4. Drawn in float32 for both types.
template <class T>
void fill_normal(const Stream& stream, Purpose purpose, Index first_candidate, Index first_row, Block<T> out);

/// Uniform numbers in [0, 1) in the same manner.
template <class T>
void fill_uniform(const Stream& stream, Purpose purpose, Index first_candidate, Index first_row, Block<T> out);

/// Words that `fill_words` makes at a time.
inline constexpr std::size_t kStreamWords = 4 * static_cast<std::size_t>(kMaxLanes);

/// The words of a `WordStream` from place `first` on, a multiple of their number. The counter's call is the last one,
/// which no block reaches.
void fill_words(std::uint64_t seed, std::uint64_t first, std::uint32_t* out);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
