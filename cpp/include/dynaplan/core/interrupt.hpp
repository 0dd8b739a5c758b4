#pragma once

#include "dynaplan/core/level.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Whether the caller of a long computation wants it to stop, as after Ctrl-C. What it then leaves behind is
/// incomplete, but valid.
class Interrupt {
 public:
  virtual ~Interrupt() = default;
  /// Asked at every step of every block, by any thread.
  virtual bool requested() const = 0;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
