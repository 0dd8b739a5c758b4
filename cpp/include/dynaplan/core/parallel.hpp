#pragma once

#include <type_traits>

#include "dynaplan/core/block.hpp"
#include "dynaplan/core/interrupt.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A non-owning reference to a callable `void(Index item, int thread)`: no allocation, no template in the source.
class LoopBody {
 public:
  template <class Body, class = std::enable_if_t<!std::is_same_v<std::decay_t<Body>, LoopBody>>>
  LoopBody(const Body& body)  // NOLINT(google-explicit-constructor): made at the call of parallel_for
      : object_(&body),
        call_([](const void* object, Index item, int thread) { (*static_cast<const Body*>(object))(item, thread); }) {}

  void operator()(Index item, int thread) const { call_(object_, item, thread); }

 private:
  const void* object_;
  void (*call_)(const void*, Index, int);
};

/// Calls `body(item, thread)` for every item below `count`, on at most `threads` threads (0 <= thread < threads).
/// The first exception of any item is rethrown after the loop; results must not depend on which thread ran an item.
/// Items are left out once `interrupt`, which may be null, is requested. Where the system does not start as many
/// threads, fewer do the work.
void parallel_for(Index count, int threads, LoopBody body, const Interrupt* interrupt = nullptr);

/// Threads that a loop of `count` items can use; throws ValueError if `threads` is not from 1 to 1024.
int usable_threads(Index count, int threads);

/// Lets the calling thread's idle workers go, so that a fork afterwards leaves no half-copied pool in the child.
void pause_threads();

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
