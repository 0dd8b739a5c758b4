#pragma once

#include "dynaplan/fit/least_squares.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Least squares with as few terms as will do, by sequential thresholding (Brunton, Proctor & Kutz 2016): for each
/// target the terms whose root mean square over the rows is at most `threshold` times that of what all features
/// together explain of the target are dropped, the others fitted again, until none is dropped, which is after as many
/// fits as there are features at most. So neither units nor noise in the target decide. Coefficients of dropped terms
/// are 0 to the bit. Rank and null basis are those of all features. `threshold` is above 0. Throws what
/// solve_least_squares does.
LeastSquaresSolution solve_sparse_least_squares(const TriangularFactor& factor, const LeastSquaresSettings& settings,
                                                double threshold);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
