#pragma once

#include "dynaplan/core/level.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Tells a long computation whether its caller has lost interest, such as by Ctrl-C. What it leaves behind is then of
/// no use, but sound.
class Interrupt {
 public:
  virtual ~Interrupt() = default;
  /// Asked at every step of every block, by any thread.
  virtual bool requested() const = 0;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
