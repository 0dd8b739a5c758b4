#pragma once

#include <pybind11/pybind11.h>

#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "interrupt.hpp"
#include "watch.hpp"

namespace dynaplan::bindings {

// Work on a thread of its own that is left to itself once a signal handler raises: a decomposition asks nobody, and may
// take seconds. So the work owns what it uses, or that is kept for it.
class AbandonedWork {
 public:
  using Work = std::function<void(const Interrupt&)>;

  // Returns when `work` has ended, and raises what it threw; or raises at once what a signal handler raised. `used` are
  // the Python objects whose memory the work reads. Called with the GIL, which is free while the work runs.
  static void run(Work work, std::vector<pybind11::object> used) {
    const auto shared = std::make_shared<Shared>();
    shared->work = std::move(work);
    shared->used = std::move(used);
    std::exception_ptr raised;
    {
      const pybind11::gil_scoped_release release;
      if (start(shared)) raised = wait(*shared);
    }
    if (!shared->abandoned) shared->used.clear();
    if (raised) std::rethrow_exception(raised);
    if (shared->failure) std::rethrow_exception(shared->failure);
  }

 private:
  struct Shared {
    Work work;
    std::vector<pybind11::object> used;
    StopRequest stop;
    std::mutex mutex;
    std::condition_variable changed;
    bool ended = false;
    bool abandoned = false;
    std::exception_ptr failure;
  };

  // Returns false where the system starts no thread, after the calling one has worked.
  static bool start(const std::shared_ptr<Shared>& shared) {
    try {
      std::thread([shared] { run_to_end(shared); }).detach();
    } catch (const std::system_error&) {
      run_to_end(shared);
      return false;
    }
    return true;
  }

  static void run_to_end(const std::shared_ptr<Shared>& shared) {
    try {
      shared->work(shared->stop);
    } catch (...) {
      shared->failure = std::current_exception();
    }
    const std::scoped_lock lock(shared->mutex);
    shared->ended = true;
    shared->changed.notify_all();
    if (shared->abandoned) let_go(shared);
  }

  // Python's objects end with the GIL alone, for which a thread must not ask while the interpreter ends.
  static void let_go(const std::shared_ptr<Shared>& shared) {
    const auto end = [](void* kept) {
      const std::unique_ptr<std::shared_ptr<Shared>> owner(static_cast<std::shared_ptr<Shared>*>(kept));
      (*owner)->used.clear();
      return 0;
    };
    auto kept = std::make_unique<std::shared_ptr<Shared>>(shared);
    // Where there is no interpreter left, or no place in its queue, the memory is not given back.
    shared->work = nullptr;
    std::shared_ptr<Shared>* const left = kept.release();
    if (Py_IsInitialized() != 0) Py_AddPendingCall(end, left);
  }

  // Returns what a signal handler raised.
  static std::exception_ptr wait(Shared& shared) {
    std::unique_lock lock(shared.mutex);
    while (!shared.ended) {
      shared.changed.wait_for(lock, kBetweenLooks);
      if (shared.ended) break;
      lock.unlock();
      const std::exception_ptr raised = raised_by_signals();
      lock.lock();
      if (!raised) continue;
      shared.abandoned = !shared.ended;
      shared.stop.flag = true;
      return raised;
    }
    return nullptr;
  }
};

}  // namespace dynaplan::bindings
