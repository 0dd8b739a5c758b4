#pragma once

#include "dynaplan/core/vector_math.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Inputs of a squared-exponential kernel, a row each, in units of sqrt(2) length scales: there the kernel of two is
/// e^(-|x - x'|^2).
using KernelRows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Calls `use(row, value)` with the kernel of each of `rows` (N, D) and the vector of lanes of `inputs` (D, K) that
/// begins at `lane`.
template <class Use>
[[gnu::always_inline]] inline void for_kernel(const KernelRows& rows, ConstBlock<double> inputs, Index lane,
                                              const Use& use) {
  const double* row = rows.data();
  for (Index i = 0; i < rows.rows(); ++i, row += rows.cols()) {
    LaneVector<double> square{};
    for (Index d = 0; d < rows.cols(); ++d) {
      // The difference first: inputs far from the origin lose no digits.
      const LaneVector<double> apart = load_lanes(inputs.row(d) + lane) - row[d];
      square += apart * apart;
    }
    use(i, fast_exp<double>(-square));
  }
}

/// The kernel of each two of `rows`, (N, N); symmetric to the bit.
Eigen::MatrixXd squared_exponential(const KernelRows& rows);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
