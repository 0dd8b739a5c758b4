#pragma once

#include <cstddef>
#include <memory>
#include <new>

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Scratch memory of one thread: a stack of aligned arrays, reserved once, reused by every call after.
class Workspace {
 public:
  static constexpr std::size_t kAlignment = 64;

  /// Bytes that `count` values of `T` take here.
  template <class T>
  static constexpr std::size_t bytes(Index count) {
    return (static_cast<std::size_t>(count) * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
  }

  /// Makes room for `size` bytes in all; keeps the memory if there is enough.
  void reserve(std::size_t size) {
    if (size > size_) {
      data_.reset(static_cast<std::byte*>(::operator new(size, std::align_val_t{kAlignment})));
      size_ = size;
    }
    used_ = 0;
  }

  template <class T>
  T* take(Index count) {
    T* const start = reinterpret_cast<T*>(data_.get() + used_);
    used_ += bytes<T>(count);
    eigen_assert(used_ <= size_);
    return start;
  }

  template <class T>
  Block<T> take_block(Index dim, Index lanes) {
    return {take<T>(dim * lanes), dim, lanes, lanes};
  }

  /// Gives back, at the end of a scope, what the scope took.
  class Scope {
   public:
    explicit Scope(Workspace& workspace) : workspace_(workspace), used_(workspace.used_) {}
    ~Scope() { workspace_.used_ = used_; }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Workspace& workspace_;
    std::size_t used_;
  };

 private:
  struct Free {
    void operator()(std::byte* data) const { ::operator delete(data, std::align_val_t{kAlignment}); }
  };
  std::unique_ptr<std::byte, Free> data_;
  std::size_t size_ = 0;
  std::size_t used_ = 0;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
