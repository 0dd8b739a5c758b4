#include "dynaplan/fit/gram.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

using Lanes = LaneVector<double>;
constexpr Index kWidth = kVectorLanes<double>;
constexpr int kTile = static_cast<int>(kGramTile);
// Vectors of lanes that a substitution works on together: 4 x 4 accumulators fit AVX-512, 4 x 2 the others.
constexpr int kSolveVectors = kWidth >= 8 ? 4 : 2;

// Rows `first ... first + count` of the block, whose earlier rows are solved, minus their share in them.
template <int Vectors>
void solve_group(const Eigen::MatrixXd& upper, Block<double> block, Index first, int count, Index lane) {
  Lanes value[kTile][Vectors];
  for (int r = 0; r < count; ++r) {
    for (int v = 0; v < Vectors; ++v) value[r][v] = load_lanes(block.row(first + r) + lane + v * kWidth);
  }
  const double* column[kTile];
  for (int r = 0; r < kTile; ++r) column[r] = upper.col(first + std::min(r, count - 1)).data();
  for (Index i = 0; i < first; ++i) {
    const double* solved = block.row(i) + lane;
    for (int v = 0; v < Vectors; ++v) {
      const Lanes x = load_lanes(solved + v * kWidth);
      for (int r = 0; r < kTile; ++r) value[r][v] -= x * column[r][i];
    }
  }
  for (int r = 0; r < count; ++r) {
    const double pivot = upper(first + r, first + r);
    for (int v = 0; v < Vectors; ++v) {
      Lanes x = value[r][v];
      for (int i = 0; i < r; ++i) x -= value[i][v] * column[r][first + i];
      value[r][v] = x / pivot;
      store_lanes(block.row(first + r) + lane + v * kWidth, value[r][v]);
    }
  }
}

void add_tile(ConstBlock<double> block, Index row, Index column, double* sums) {
  Lanes sum[kTile][kTile];
  for (int r = 0; r < kTile; ++r) {
    for (int c = 0; c < kTile; ++c) sum[r][c] = load_lanes(sums + (r * kTile + c) * kWidth);
  }
  const double* left = block.row(row * kTile);
  const double* right = block.row(column * kTile);
  for (Index k = 0; k < block.lanes; k += kWidth) {
    Lanes y[kTile];
    for (int c = 0; c < kTile; ++c) y[c] = load_lanes(right + c * block.stride + k);
    for (int r = 0; r < kTile; ++r) {
      const Lanes x = load_lanes(left + r * block.stride + k);
      for (int c = 0; c < kTile; ++c) sum[r][c] += x * y[c];
    }
  }
  for (int r = 0; r < kTile; ++r) {
    for (int c = 0; c < kTile; ++c) store_lanes(sums + (r * kTile + c) * kWidth, sum[r][c]);
  }
}

constexpr Index kTileSize = kGramTile * kGramTile * kWidth;

}  // namespace

void solve_rows(const Eigen::MatrixXd& upper, Block<double> block) {
  const Index dim = upper.cols();
  Index lane = 0;
  for (; lane + kSolveVectors * kWidth <= block.lanes; lane += kSolveVectors * kWidth) {
    for (Index first = 0; first < dim; first += kTile) {
      solve_group<kSolveVectors>(upper, block, first, static_cast<int>(std::min<Index>(kTile, dim - first)), lane);
    }
  }
  for (; lane < block.lanes; lane += kWidth) {
    for (Index first = 0; first < dim; first += kTile) {
      solve_group<1>(upper, block, first, static_cast<int>(std::min<Index>(kTile, dim - first)), lane);
    }
  }
}

GramSum::GramSum(Index padded_dim)
    : tiles_(padded_dim / kGramTile), sums_(static_cast<std::size_t>(tiles_ * (tiles_ + 1) / 2 * kTileSize), 0.0) {}

void GramSum::add(ConstBlock<double> block) {
  double* sums = sums_.data();
  for (Index row = 0; row < tiles_; ++row) {
    for (Index column = row; column < tiles_; ++column, sums += kTileSize) add_tile(block, row, column, sums);
  }
}

Eigen::MatrixXd GramSum::upper(Index dim) const {
  Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(tiles_ * kGramTile, tiles_ * kGramTile);
  const double* sums = sums_.data();
  for (Index row = 0; row < tiles_; ++row) {
    for (Index column = row; column < tiles_; ++column) {
      for (Index entry = 0; entry < kGramTile * kGramTile; ++entry, sums += kWidth) {
        gram(row * kGramTile + entry / kGramTile, column * kGramTile + entry % kGramTile) =
            Eigen::Map<const Eigen::ArrayXd>(sums, kWidth).sum();
      }
    }
  }
  return gram.topLeftCorner(dim, dim).triangularView<Eigen::Upper>();
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
