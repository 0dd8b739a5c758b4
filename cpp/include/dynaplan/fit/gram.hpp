#pragma once

#include <vector>

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Rows of a block are grouped in fours for the register tiles below; a block's `dim` is a multiple of it.
inline constexpr Index kGramTile = 4;

/// `block` <- R^-T block in place: each lane is one row z with z R = row. `upper` (n, n); rows of the block beyond n
/// are padding and stay as they are. By substitution, never by an inverse, so that it is backward stable.
void solve_rows(const Eigen::MatrixXd& upper, Block<double> block);

/// The sum of outer products of a block's lanes, kept as vectors of partial sums until it is read.
class GramSum {
 public:
  explicit GramSum(Index padded_dim);
  void add(ConstBlock<double> block);
  /// The upper triangle of the first `dim` rows and columns.
  Eigen::MatrixXd upper(Index dim) const;

 private:
  Index tiles_;
  std::vector<double, Eigen::aligned_allocator<double>> sums_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
