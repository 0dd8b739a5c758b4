#pragma once

#include <array>
#include <cstdint>

#include "dynaplan/core/random.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Random words one after another. Word k of a seed is word k % 4 of `philox` at the counter
/// (low word of k / 4, high word of k / 4, 0, 2^32 - 1): a stream can continue where another one stopped.
class WordStream {
 public:
  explicit WordStream(std::uint64_t seed, std::uint64_t place = 0);

  std::uint32_t next() {
    if (used_ == words_.size()) refill();
    return words_[used_++];
  }
  /// A whole number below `limit`.
  Index below(Index limit) { return dynaplan::below(next(), limit); }
  /// A number in [0, 1), of 32 bits.
  double uniform() { return next() * 0x1p-32; }

  /// How many words were taken.
  std::uint64_t place() const { return first_ + used_; }

 private:
  void refill();

  std::uint64_t seed_;
  std::uint64_t first_;  // place of words_[0], a multiple of their number
  std::size_t used_;
  std::array<std::uint32_t, kStreamWords> words_{};
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
