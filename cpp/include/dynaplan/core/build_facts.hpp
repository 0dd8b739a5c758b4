#pragma once

#include "dynaplan/core/level.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// How the core itself was compiled, asked of the core and not of what is linked to it.
struct BuildFacts {
  bool openmp;        // parallel_for uses threads
  bool fast_math;     // never: isfinite() would lie
  int eigen_threads;  // always 1: Eigen opens no parallel region of its own
};

BuildFacts build_facts();

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
