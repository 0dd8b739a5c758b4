#include "dynaplan/core/affine.hpp"

#include <algorithm>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// The accumulators of Rows outputs x Vectors vectors of lanes live in registers over all inputs.
template <class T, int Rows, int Vectors>
void tile(const T* panel, const ConstBlock<T>* parts, Index count, Index lane, Block<T> out, Index first_row) {
  using Lanes = LaneVector<T>;
  constexpr Index kWidth = kVectorLanes<T>;
  Lanes sum[Rows][Vectors];
  for (int r = 0; r < Rows; ++r) {
    for (int v = 0; v < Vectors; ++v) sum[r][v] = Lanes::Constant(panel[r]);
  }
  const T* weight = panel + Rows;
  for (Index part = 0; part < count; ++part) {
    const T* input = parts[part].data + lane;
    for (Index i = 0; i < parts[part].dim; ++i, input += parts[part].stride, weight += Rows) {
      Lanes x[Vectors];
      for (int v = 0; v < Vectors; ++v) x[v] = Eigen::Map<const Lanes, Eigen::AlignedMax>(input + v * kWidth);
      for (int r = 0; r < Rows; ++r) {
        const Lanes w = Lanes::Constant(weight[r]);
        for (int v = 0; v < Vectors; ++v) sum[r][v] += w * x[v];
      }
    }
  }
  for (int r = 0; r < Rows; ++r) {
    for (int v = 0; v < Vectors; ++v) {
      Eigen::Map<Lanes, Eigen::AlignedMax>(out.row(first_row + r) + lane + v * kWidth) = sum[r][v];
    }
  }
}

template <class T, int Rows>
void panel_over_lanes(const T* panel, const ConstBlock<T>* parts, Index count, Block<T> out, Index first_row) {
  constexpr Index kTile = PackedAffine<T>::kTileVectors;
  Index lane = 0;
  for (; lane + kTile * kVectorLanes<T> <= out.lanes; lane += kTile * kVectorLanes<T>) {
    tile<T, Rows, static_cast<int>(kTile)>(panel, parts, count, lane, out, first_row);
  }
  for (; lane < out.lanes; lane += kVectorLanes<T>) tile<T, Rows, 1>(panel, parts, count, lane, out, first_row);
}

}  // namespace

template <class T>
PackedAffine<T>::PackedAffine(const Matrix& weights, const Vector& bias)
    : outputs_(weights.rows()), inputs_(weights.cols()) {
  packed_.reserve(static_cast<std::size_t>(outputs_ * (inputs_ + 1)));
  for (Index first = 0; first < outputs_; first += kPanelRows) {
    const Index last = std::min(first + kPanelRows, outputs_);
    for (Index r = first; r < last; ++r) packed_.push_back(bias(r));
    for (Index i = 0; i < inputs_; ++i) {
      for (Index r = first; r < last; ++r) packed_.push_back(weights(r, i));
    }
  }
}

template <class T>
void PackedAffine<T>::apply(const ConstBlock<T>* parts, Index count, Block<T> out) const {
  using PanelKernel = void (*)(const T*, const ConstBlock<T>*, Index, Block<T>, Index);
  static constexpr PanelKernel kKernels[kPanelRows] = {
      panel_over_lanes<T, 1>, panel_over_lanes<T, 2>, panel_over_lanes<T, 3>,
      panel_over_lanes<T, 4>, panel_over_lanes<T, 5>, panel_over_lanes<T, 6>};
  const T* panel = packed_.data();
  for (Index first = 0; first < outputs_; first += kPanelRows) {
    const Index rows = std::min(kPanelRows, outputs_ - first);
    kKernels[rows - 1](panel, parts, count, out, first);
    panel += rows * (inputs_ + 1);
  }
}

template class PackedAffine<float>;
template class PackedAffine<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
