#pragma once

#include <atomic>
#include <string>
#include <utility>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/error.hpp"

namespace dynaplan::bindings {

// An object that changes as it is used, and that Python's threads could use at the same time once the GIL is released.
template <class Object>
class Exclusive {
 public:
  template <class... Arguments>
  explicit Exclusive(const char* name, Arguments&&... arguments)
      : name_(name), object_(std::forward<Arguments>(arguments)...) {}

  // Holds the object for one call. Throws ValueError where another thread does.
  class Use {
   public:
    explicit Use(Exclusive& owner) : owner_(owner) {
      if (owner.in_use_.exchange(true, std::memory_order_acquire)) {
        throw ValueError(std::string(owner.name_) + ": in use by another thread; call it from one thread at a time");
      }
    }
    ~Use() { owner_.in_use_.store(false, std::memory_order_release); }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    Object& operator*() const { return owner_.object_; }
    Object* operator->() const { return &owner_.object_; }

   private:
    Exclusive& owner_;
  };

 private:
  const char* name_;
  Object object_;
  std::atomic<bool> in_use_{false};
};

}  // namespace dynaplan::bindings
