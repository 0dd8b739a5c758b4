#pragma once

#include "dynaplan/core/interrupt.hpp"
#include "dynaplan/fit/regression.hpp"
#include "dynaplan/fit/triangular_factor.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The triangular factor of all rows of the data; widens `seen` by their inputs. Few rows go through Householder
/// transformations. Many go through a preconditioned Cholesky factorisation: with R_0 the Householder factor of a
/// sample of rows, Z = rows R_0^-1 is nearly orthogonal, so R = chol(Z^T Z) R_0 is as accurate as Householder's (the
/// idea of Cholesky-QR twice, Yamamoto et al. 2015, with the first pass replaced by the sample). Where Z turns out
/// ill-conditioned, R becomes the next R_0; where that cannot help, Householder does it all. The result depends on
/// the data alone, not on `threads`. Throws Error if `interrupt`, which may be null, has ended it early.
TriangularFactor factor_rows(const RegressionDesign& design, const RegressionData& data, int threads,
                             InputSummary& seen, const Interrupt* interrupt = nullptr);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
