#include "dynaplan/core/parallel.hpp"

#ifdef _OPENMP
#include <omp.h>
#endif

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

constexpr int kMaxThreads = 1024;

bool stops(const Interrupt* interrupt) { return interrupt != nullptr && interrupt->requested(); }

void run_alone(Index count, LoopBody body, const Interrupt* interrupt) {
  for (Index item = 0; item < count && !stops(interrupt); ++item) body(item, 0);
}

#ifdef _OPENMP
// How many threads of `team` the system starts at the same time, the calling one included; half of that where it does
// not start all, so that something is left for the rest of the process.
int startable(int team) {
  std::mutex mutex;
  std::condition_variable ended;
  bool end = false;
  std::vector<std::thread> started;
  started.reserve(static_cast<std::size_t>(team));
  const auto wait = [&] {
    std::unique_lock lock(mutex);
    ended.wait(lock, [&] { return end; });
  };
  bool all = true;
  try {
    while (static_cast<int>(started.size()) + 1 < team) started.emplace_back(wait);
  } catch (const std::system_error&) {
    all = false;
  }
  {
    const std::scoped_lock lock(mutex);
    end = true;
  }
  ended.notify_all();
  for (std::thread& thread : started) thread.join();
  return all ? team : 1 + static_cast<int>(started.size()) / 2;
}

// The calling thread's OpenMP workers, as far as they are known to have been started, and a bound on them.
struct Team {
  int started = 1;
  int most = kMaxThreads;
};
// Of each thread, since OpenMP's workers are: it tells nobody how many it has.
thread_local Team calling_team;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

// libgomp ends the whole process where it cannot start a thread, so that a larger team than any before is tried first.
int allowed(int team) {
  Team& known = calling_team;
  if (team > known.started && known.started < known.most) {
    const int found = std::max(known.started, startable(team));
    if (found < team) known.most = found;
    known.started = found;
  }
  return std::min(team, known.started);
}
#endif

}  // namespace

int usable_threads(Index count, int threads) {
  require_in("threads", threads, 1, kMaxThreads);
  return static_cast<int>(std::max<Index>(1, std::min<Index>(count, threads)));
}

void parallel_for(Index count, int threads, LoopBody body, const Interrupt* interrupt) {
#ifdef _OPENMP
  int team = usable_threads(count, threads);
  if (team > 1) team = allowed(team);
  if (team == 1) {
    run_alone(count, body, interrupt);
    return;
  }
  // An exception must not leave the region: it is kept and rethrown by the calling thread.
  std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic, 1) num_threads(team)
  for (Index item = 0; item < count; ++item) {
    try {
      if (!stops(interrupt)) body(item, omp_get_thread_num());
    } catch (...) {
#pragma omp critical(dynaplan_parallel_failure)
      if (!failure) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
#else
  usable_threads(count, threads);
  run_alone(count, body, interrupt);
#endif
}

void pause_threads() {
#ifdef _OPENMP
  // Soft: a hard pause aborts in libomp 14.
  if (omp_in_parallel()) return;
  omp_pause_resource_all(omp_pause_soft);
  calling_team = {};
#endif
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
