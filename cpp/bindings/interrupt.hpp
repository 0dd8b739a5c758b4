#pragma once

#include <pybind11/pybind11.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "dynaplan/core/interrupt.hpp"

namespace dynaplan::bindings {

// Looks for Ctrl-C every few milliseconds while the GIL is released. Only the thread that made it can: there the
// pending exception is thrown, elsewhere work just ends.
class PythonInterrupt final : public Interrupt {
 public:
  bool requested() const override {
    if (stop_.load(std::memory_order_relaxed)) return true;
    if (std::this_thread::get_id() != owner_ || ++asked_ < asked_between_) return false;
    asked_ = 0;
    const Clock::time_point now = Clock::now();
    // Asked at every step of every block, and the clock costs as much as a step of a small model: it is read the less
    // often the quicker the steps are, and at each step that takes long.
    asked_between_ = now - read_ < kQuick ? std::min(2 * asked_between_, kMaxAskedBetween) : 1;
    read_ = now;
    if (now < next_look_) return false;
    next_look_ = now + kBetweenLooks;
    const pybind11::gil_scoped_acquire acquire;
    if (PyErr_CheckSignals() == 0) return false;
    stop_.store(true, std::memory_order_relaxed);
    throw pybind11::error_already_set();
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kBetweenLooks{5};
  static constexpr std::chrono::microseconds kQuick{200};
  static constexpr int kMaxAskedBetween = 16;

  std::thread::id owner_ = std::this_thread::get_id();
  mutable std::atomic<bool> stop_{false};
  // The owner's alone.
  mutable int asked_ = 0;
  mutable int asked_between_ = 1;
  mutable Clock::time_point read_ = Clock::now();
  mutable Clock::time_point next_look_ = read_ + kBetweenLooks;
};

}  // namespace dynaplan::bindings
