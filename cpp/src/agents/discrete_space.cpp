#include "dynaplan/agents/discrete_space.hpp"

#include <limits>
#include <string>

#include "dynaplan/core/error.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

void DiscreteSpace::validate(const char* name) const {
  if (count < 1) throw ValueError(std::string(name) + ": got " + std::to_string(count) + ", must be at least 1");
  if (start > std::numeric_limits<std::int64_t>::max() - count) {
    throw ValueError(std::string(name) + ": the numbers from " + std::to_string(start) + " on do not fit 64 bits");
  }
}

void DiscreteSpace::refuse(std::int64_t value, const char* name) const {
  throw ValueError(std::string(name) + ": got " + std::to_string(value) + ", must be from " + std::to_string(start) +
                   " to " + std::to_string(start + count - 1));
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
