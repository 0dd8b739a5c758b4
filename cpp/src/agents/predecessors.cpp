#include "dynaplan/agents/predecessors.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

Predecessors::Predecessors(Index states, Index pairs)
    : first_(static_cast<std::size_t>(states), -1),
      after_(static_cast<std::size_t>(pairs), -1),
      before_(after_.size(), -1),
      leads_to_(after_.size(), -1) {}

void Predecessors::link(Index pair, Index state) {
  const auto place = static_cast<std::size_t>(pair);
  const auto number = static_cast<std::int32_t>(pair);
  if (leads_to_[place] == state) return;
  if (leads_to_[place] >= 0) unlink(number);
  std::int32_t& head = first_[static_cast<std::size_t>(state)];
  after_[place] = head;
  before_[place] = -1;
  if (head >= 0) before_[static_cast<std::size_t>(head)] = number;
  head = number;
  leads_to_[place] = static_cast<std::int32_t>(state);
}

void Predecessors::unlink(std::int32_t pair) {
  const auto place = static_cast<std::size_t>(pair);
  const std::int32_t after = after_[place];
  const std::int32_t before = before_[place];
  if (after >= 0) before_[static_cast<std::size_t>(after)] = before;
  if (before >= 0) {
    after_[static_cast<std::size_t>(before)] = after;
  } else {
    first_[static_cast<std::size_t>(leads_to_[place])] = after;
  }
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
