#include "dynaplan/core/build_facts.hpp"

#include <Eigen/Core>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

BuildFacts build_facts() {
  BuildFacts facts{false, false, Eigen::nbThreads()};
#ifdef _OPENMP
  facts.openmp = true;
#endif
#ifdef __FAST_MATH__
  facts.fast_math = true;
#endif
  return facts;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
