#pragma once

#include <cstdint>

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The whole numbers `start ... start + count - 1`, by which an environment names its states or actions.
struct DiscreteSpace {
  std::int64_t start = 0;
  Index count = 1;

  /// Throws ValueError unless there is at least one and the last one is a 64-bit number.
  void validate(const char* name) const;
  /// The place of a value, from 0 on. Throws ValueError, naming the argument, where the space does not hold it.
  Index index_of(std::int64_t value, const char* name) const {
    const std::uint64_t index = static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(start);
    if (index >= static_cast<std::uint64_t>(count)) refuse(value, name);
    return static_cast<Index>(index);
  }
  std::int64_t value_of(Index index) const { return start + index; }

 private:
  [[noreturn]] void refuse(std::int64_t value, const char* name) const;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
