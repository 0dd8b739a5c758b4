#include "dynaplan/core/parallel.hpp"

#ifdef _OPENMP
#include <omp.h>
#endif

#include <algorithm>
#include <exception>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

int usable_threads(Index count, int threads) {
  require_at_least("threads", threads, 1);
  return static_cast<int>(std::max<Index>(1, std::min<Index>(count, threads)));
}

void parallel_for(Index count, int threads, LoopBody body) {
  const int team = usable_threads(count, threads);
  if (team == 1) {
    for (Index item = 0; item < count; ++item) body(item, 0);
    return;
  }
#ifdef _OPENMP
  // An exception must not leave the region: it is kept and rethrown by the calling thread.
  std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic, 1) num_threads(team)
  for (Index item = 0; item < count; ++item) {
    try {
      body(item, omp_get_thread_num());
    } catch (...) {
#pragma omp critical(dynaplan_parallel_failure)
      if (!failure) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
#else
  for (Index item = 0; item < count; ++item) body(item, 0);
#endif
}

void pause_threads() {
#ifdef _OPENMP
  // Soft: a hard pause aborts in libomp 14.
  if (!omp_in_parallel()) omp_pause_resource_all(omp_pause_soft);
#endif
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
