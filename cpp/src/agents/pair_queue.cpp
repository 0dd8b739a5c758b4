#include "dynaplan/agents/pair_queue.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

PairQueue::PairQueue(Index pairs)
    : place_(static_cast<std::size_t>(pairs), -1), priority_(static_cast<std::size_t>(pairs), 0.0) {
  heap_.reserve(place_.size());
}

bool PairQueue::comes_before(std::int32_t one, std::int32_t other) const {
  const double a = priority(one);
  const double b = priority(other);
  return a > b || (a == b && one < other);
}

void PairQueue::put(std::size_t place, std::int32_t pair) {
  heap_[place] = pair;
  place_[static_cast<std::size_t>(pair)] = static_cast<std::int32_t>(place);
}

void PairQueue::rise(std::size_t place, std::int32_t pair) {
  while (place > 0) {
    const std::size_t parent = (place - 1) / 2;
    if (!comes_before(pair, heap_[parent])) break;
    put(place, heap_[parent]);
    place = parent;
  }
  put(place, pair);
}

void PairQueue::sink(std::size_t place, std::int32_t pair) {
  while (2 * place + 1 < heap_.size()) {
    std::size_t child = 2 * place + 1;
    if (child + 1 < heap_.size() && comes_before(heap_[child + 1], heap_[child])) ++child;
    if (!comes_before(heap_[child], pair)) break;
    put(place, heap_[child]);
    place = child;
  }
  put(place, pair);
}

void PairQueue::push(Index pair, double priority) {
  const auto number = static_cast<std::size_t>(pair);
  if (!contains(pair)) {
    heap_.push_back(static_cast<std::int32_t>(pair));
    place_[number] = static_cast<std::int32_t>(heap_.size() - 1);
  } else if (priority <= priority_[number]) {
    return;
  }
  priority_[number] = priority;
  rise(static_cast<std::size_t>(place_[number]), static_cast<std::int32_t>(pair));
}

Index PairQueue::pop() {
  const std::int32_t first = heap_.front();
  const std::int32_t last = heap_.back();
  heap_.pop_back();
  place_[static_cast<std::size_t>(first)] = -1;
  if (!heap_.empty()) sink(0, last);
  return first;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
