#pragma once

#include <pybind11/pybind11.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "dynaplan/core/interrupt.hpp"
#include "interrupt.hpp"

namespace dynaplan::bindings {

constexpr std::chrono::milliseconds kBetweenLooks{20};

// Requested by whoever has set the flag.
class StopRequest final : public Interrupt {
 public:
  bool requested() const override { return flag.load(std::memory_order_relaxed); }
  std::atomic<bool> flag{false};
};

// What Python's signal handlers raise, which they do on the main thread alone; takes the GIL.
inline std::exception_ptr raised_by_signals() {
  const pybind11::gil_scoped_acquire acquire;
  return PyErr_CheckSignals() == 0 ? nullptr : std::make_exception_ptr(pybind11::error_already_set());
}

// Runs work that cannot look for signals itself, or not often enough, on a thread of its own. The calling thread, which
// alone can run Python's signal handlers, does so every few milliseconds.
class Watch {
 public:
  // Returns when `work` has ended, and raises what it threw, or what a signal handler raised meanwhile. Called with the
  // GIL, which is free while the work runs. Where the system starts no thread, the calling one works, and hears signals
  // at the end.
  template <class Work>
  void run(const Work& work) {
    std::exception_ptr failure;
    const pybind11::gil_scoped_release release;
    const auto run_to_end = [&] {
      try {
        work();
      } catch (...) {
        failure = std::current_exception();
      }
      const std::scoped_lock lock(mutex_);
      ended_ = true;
      changed_.notify_all();
    };
    std::thread worker;
    try {
      worker = std::thread(run_to_end);
    } catch (const std::system_error&) {
      is_alone_ = true;
      run_to_end();
    }
    wait();
    if (worker.joinable()) worker.join();
    if (failure) std::rethrow_exception(failure);
    if (raised_) std::rethrow_exception(raised_);
  }

  // For the work: requested once a signal handler has raised.
  const Interrupt& interrupt() const { return stop_; }

  // For the work: runs `task` on the calling thread, with the GIL; raises what it throws.
  void on_caller(const std::function<void()>& task) {
    if (is_alone_) {
      const pybind11::gil_scoped_acquire acquire;
      task();
      return;
    }
    std::unique_lock lock(mutex_);
    task_ = &task;
    changed_.notify_all();
    changed_.wait(lock, [&] { return task_ == nullptr; });
    if (task_failure_) std::rethrow_exception(std::exchange(task_failure_, nullptr));
  }

 private:
  void wait() {
    std::unique_lock lock(mutex_);
    while (!ended_) {
      if (task_ == nullptr) changed_.wait_for(lock, kBetweenLooks);
      if (ended_) break;
      const std::function<void()>* const task = task_;
      lock.unlock();
      std::exception_ptr task_failure;
      {
        const pybind11::gil_scoped_acquire acquire;
        if (task != nullptr) {
          try {
            (*task)();
          } catch (...) {
            task_failure = std::current_exception();
          }
        }
        look();
      }
      lock.lock();
      if (task == nullptr) continue;
      task_failure_ = task_failure;
      task_ = nullptr;
      changed_.notify_all();
    }
  }

  void look() {
    if (!raised_) raised_ = raised_by_signals();
    if (raised_) stop_.flag = true;
  }

  bool is_alone_ = false;  // the calling thread does the work
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
  const std::function<void()>* task_ = nullptr;
  std::exception_ptr task_failure_;
  std::exception_ptr raised_;
  StopRequest stop_;
};

// Runs `work(interrupt)` under a watch if it is long, which costs a thread; else here. The GIL is free meanwhile.
template <class Work>
void run_watched(bool is_long, const Work& work) {
  if (is_long) {
    Watch watch;
    watch.run([&] { work(watch.interrupt()); });
    return;
  }
  const PythonInterrupt interrupt;
  const pybind11::gil_scoped_release release;
  work(interrupt);
}

}  // namespace dynaplan::bindings
