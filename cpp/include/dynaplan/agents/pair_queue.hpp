#pragma once

#include <cstdint>
#include <vector>

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A queue of pairs by priority, each at most once; of equal ones the smallest number comes first. A binary heap that
/// knows where each pair stands.
class PairQueue {
 public:
  explicit PairQueue(Index pairs);

  bool empty() const { return heap_.empty(); }
  bool contains(Index pair) const { return place_[static_cast<std::size_t>(pair)] >= 0; }
  /// Puts a pair in; one that is there keeps the higher priority.
  void push(Index pair, double priority);
  /// Takes the first pair out; the queue is not empty.
  Index pop();
  /// All pairs in it, in no order that matters.
  const std::vector<std::int32_t>& pairs() const { return heap_; }
  double priority(Index pair) const { return priority_[static_cast<std::size_t>(pair)]; }

 private:
  bool comes_before(std::int32_t one, std::int32_t other) const;
  void put(std::size_t place, std::int32_t pair);
  void rise(std::size_t place, std::int32_t pair);
  void sink(std::size_t place, std::int32_t pair);

  std::vector<std::int32_t> heap_;
  std::vector<std::int32_t> place_;  // of each pair in heap_, -1 where it is not there
  std::vector<double> priority_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
