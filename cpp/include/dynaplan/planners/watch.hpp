#pragma once

#include <algorithm>
#include <optional>

#include "dynaplan/planners/planner.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Whether there is time for another part of the work of the same kind, judging by the slowest so far.
class Watch {
 public:
  explicit Watch(const std::optional<Clock::time_point>& deadline) : deadline_(deadline) {}

  bool in_time() const { return !deadline_ || Clock::now() + slowest_ < *deadline_; }
  void begin() {
    if (deadline_) began_ = Clock::now();
  }
  void end() {
    if (deadline_) slowest_ = std::max(slowest_, Clock::now() - began_);
  }

 private:
  std::optional<Clock::time_point> deadline_;
  Clock::time_point began_;
  Clock::duration slowest_ = Clock::duration::zero();
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
