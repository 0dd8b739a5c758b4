#include "dynaplan/networks/product.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// Rows x Vectors accumulators stay in registers over all k.
template <class T, int Rows, int Vectors>
void tile(const MatrixView<T>& left, const T* start, const ConstBlock<T>& right, Index lane, const Block<T>& out) {
  using Lanes = LaneVector<T>;
  constexpr Index kWidth = kVectorLanes<T>;
  constexpr std::make_integer_sequence<int, Rows * Vectors> kAll;
  constexpr std::make_integer_sequence<int, Vectors> kVectors;
  Lanes sum[Rows * Vectors];
  for_constants(kAll, [&](auto i) { sum[i] = Lanes{} + (start == nullptr ? T(0) : start[i / Vectors]); });
  const T* weight = left.data;
  const T* input = right.data + lane;
  // Counting competes with the products for the processor's ports.
#pragma GCC unroll 4
  for (Index k = 0; k < right.dim; ++k, weight += left.column_stride, input += right.stride) {
    Lanes x[Vectors];
    for_constants(kVectors, [&](auto v) { x[v] = load_lanes(input + v * kWidth); });
    for_constants(kAll, [&](auto j) { sum[j] += weight[(j / Vectors) * left.row_stride] * x[j % Vectors]; });
  }
  for_constants(kAll, [&](auto i) { store_lanes(out.row(i / Vectors) + lane + (i % Vectors) * kWidth, sum[i]); });
}

// All lanes of Rows rows; the last tile is as narrow as what is left.
template <class T, int Rows>
void rows_over_lanes(const MatrixView<T>& left, const T* start, const ConstBlock<T>& right, const Block<T>& out) {
  constexpr int kTile = kTileVectors<T>;
  constexpr Index kWidth = kVectorLanes<T>;
  Index lane = 0;
  for (; lane + kTile * kWidth <= out.lanes; lane += kTile * kWidth) {
    tile<T, Rows, kTile>(left, start, right, lane, out);
  }
  const Index vectors = (out.lanes - lane) / kWidth;
  if (kTile > 2 && vectors == 3) {
    tile<T, Rows, 3>(left, start, right, lane, out);
  } else if (kTile > 2 && vectors == 2) {
    tile<T, Rows, 2>(left, start, right, lane, out);
  } else if (vectors > 0) {
    tile<T, Rows, 1>(left, start, right, lane, out);
  }
}

}  // namespace

template <class T>
void multiply_rows(const MatrixView<T>& left, const T* start, const ConstBlock<T>& right, const Block<T>& out) {
  using Kernel = void (*)(const MatrixView<T>&, const T*, const ConstBlock<T>&, const Block<T>&);
  static constexpr Kernel kKernels[kTileRows] = {rows_over_lanes<T, 1>, rows_over_lanes<T, 2>, rows_over_lanes<T, 3>,
                                                 rows_over_lanes<T, 4>, rows_over_lanes<T, 5>, rows_over_lanes<T, 6>};
  kKernels[out.dim - 1](left, start, right, out);
}

template void multiply_rows<float>(const MatrixView<float>&, const float*, const ConstBlock<float>&,
                                   const Block<float>&);
template void multiply_rows<double>(const MatrixView<double>&, const double*, const ConstBlock<double>&,
                                    const Block<double>&);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
