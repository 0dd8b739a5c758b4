#include "dynaplan/agents/discrete_space.hpp"

#include <limits>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

void DiscreteSpace::validate(const char* name) const {
  require_at_least(name, count, 1);
  if (start > std::numeric_limits<std::int64_t>::max() - count) {
    throw_value_error(name, text_of(count) + " numbers from " + text_of(start), "within 64 bits");
  }
}

void DiscreteSpace::refuse(std::int64_t value, const char* name) const {
  throw_value_error(name, text_of(value), "from " + text_of(start) + " to " + text_of(start + count - 1));
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
