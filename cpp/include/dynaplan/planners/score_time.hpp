#pragma once

#include "dynaplan/planners/planner.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// How long the problem's score, or its terminal value, takes, a row being a candidate with all its particles. It is
/// asked about one, whose first state stays as it is.
template <class T>
CallTime measure_score_time(const PlanProblemOf<T>& problem, Index horizon);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
