#include "dynaplan/networks/row_affine.hpp"

#include <algorithm>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// Vectors of outputs whose sums are kept in registers at a time; as many hide the latency of each other's additions.
constexpr int kMaxVectors = 8;

template <class T, int Vectors>
void columns_product(const T* columns, Index stride, const T* x, Index inputs, T* out) {
  LaneVector<T> sum[Vectors];
  for (int v = 0; v < Vectors; ++v) sum[v] = load_lanes(columns + v * kVectorLanes<T>);
  for (Index i = 0; i < inputs; ++i) {
    columns += stride;
    for (int v = 0; v < Vectors; ++v) sum[v] += x[i] * load_lanes(columns + v * kVectorLanes<T>);
  }
  for (int v = 0; v < Vectors; ++v) store_lanes(out + v * kVectorLanes<T>, sum[v]);
}

}  // namespace

template <class T>
RowAffine<T>::RowAffine(const Matrix& weights, const Vector& bias)
    : inputs_(weights.cols()),
      stride_(padded_lanes<T>(weights.rows())),
      columns_(static_cast<std::size_t>((inputs_ + 1) * stride_), T(0)) {
  Eigen::Map<Matrix> columns(columns_.data(), stride_, inputs_ + 1);
  columns.col(0).head(bias.size()) = bias;
  columns.rightCols(inputs_).topRows(weights.rows()) = weights;
}

template <class T>
void RowAffine<T>::apply(const T* x, T* out) const {
  using Kernel = void (*)(const T*, Index, const T*, Index, T*);
  static constexpr Kernel kKernels[kMaxVectors] = {columns_product<T, 1>, columns_product<T, 2>, columns_product<T, 3>,
                                                   columns_product<T, 4>, columns_product<T, 5>, columns_product<T, 6>,
                                                   columns_product<T, 7>, columns_product<T, 8>};
  const Index vectors = stride_ / kVectorLanes<T>;
  for (Index first = 0; first < vectors; first += kMaxVectors) {
    const Index count = std::min<Index>(kMaxVectors, vectors - first);
    const Index start = first * kVectorLanes<T>;
    kKernels[count - 1](columns_.data() + start, stride_, x, inputs_, out + start);
  }
}

template class RowAffine<float>;
template class RowAffine<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
