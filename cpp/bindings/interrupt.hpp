#pragma once

#include <pybind11/pybind11.h>

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
    // Asked at every step of every block, and the clock costs as much as a step of a small model.
    constexpr int kAskedBetweenLooks = 16;
    if (std::this_thread::get_id() != owner_ || ++asked_ % kAskedBetweenLooks != 0) return false;
    const Clock::time_point now = Clock::now();
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

  std::thread::id owner_ = std::this_thread::get_id();
  mutable std::atomic<bool> stop_{false};
  mutable int asked_ = 0;                                               // the owner's alone
  mutable Clock::time_point next_look_ = Clock::now() + kBetweenLooks;  // likewise
};

}  // namespace dynaplan::bindings
