#pragma once

#include <vector>

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// One number a candidate.
template <class T>
using CandidateNumbers = std::vector<T, Eigen::aligned_allocator<T>>;

/// The standard deviation of the returns that are finite; 0 where none is.
template <class T>
double deviation_of(const CandidateNumbers<T>& returns);

/// Returns become weights e^(return / temperature), scaled to the sum 1. One that is not finite has weight 0; where
/// none is, the first candidate has all the weight.
template <class T>
void weigh(double temperature, CandidateNumbers<T>& returns);

/// The same at the temperature where 1 / (sum of squared weights) is `effective`, or as near as the returns allow:
/// equal returns weigh the same at any.
template <class T>
void weigh_for(double effective, CandidateNumbers<T>& returns);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
