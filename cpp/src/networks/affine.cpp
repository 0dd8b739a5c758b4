#include "dynaplan/networks/affine.hpp"

#include <algorithm>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// The accumulators of Rows outputs x Vectors vectors of lanes live in registers over all inputs.
template <class T, int Rows, int Vectors>
[[gnu::always_inline]] inline void tile(const T* panel, const ConstBlock<T>* parts, Index count, Index lane,
                                        Block<T> out) {
  using Lanes = LaneVector<T>;
  constexpr Index kWidth = kVectorLanes<T>;
  constexpr std::make_integer_sequence<int, Rows * Vectors> kAll;
  constexpr std::make_integer_sequence<int, Vectors> kVectors;
  Lanes sum[Rows * Vectors];
  for_constants(kAll, [&](auto i) { sum[i] = Lanes{} + panel[i / Vectors]; });
  const T* weight = panel + Rows;
  for (Index part = 0; part < count; ++part) {
    const T* input = parts[part].data + lane;
    // Counting competes with the products for the processor's ports.
#pragma GCC unroll 4
    for (Index i = 0; i < parts[part].dim; ++i, input += parts[part].stride, weight += Rows) {
      Lanes x[Vectors];
      for_constants(kVectors, [&](auto v) { x[v] = load_lanes(input + v * kWidth); });
      for_constants(kAll, [&](auto j) { sum[j] += weight[j / Vectors] * x[j % Vectors]; });
    }
  }
  T* const target = out.data + lane;
  for_constants(kAll,
                [&](auto i) { store_lanes(target + (i / Vectors) * out.stride + (i % Vectors) * kWidth, sum[i]); });
}

// Panels of Rows outputs each, one after another; one call for many, as a call costs as much as a tenth of a tile.
template <class T, int Rows>
void panels_over_lanes(const T* panel, Index size, const ConstBlock<T>* parts, Index count, Block<T> out) {
  constexpr int kTile = kTileVectors<T>;
  for (Index first = 0; first < out.dim; first += Rows, panel += size) {
    const Block<T> rows = out.rows(first, Rows);
    Index lane = 0;
    for (; lane + kTile * kVectorLanes<T> <= out.lanes; lane += kTile * kVectorLanes<T>) {
      tile<T, Rows, kTile>(panel, parts, count, lane, rows);
    }
    for (; lane < out.lanes; lane += kVectorLanes<T>) tile<T, Rows, 1>(panel, parts, count, lane, rows);
  }
}

}  // namespace

template <class T>
PackedAffine<T>::PackedAffine(const Matrix& weights, const Vector& bias)
    : outputs_(weights.rows()), inputs_(weights.cols()) {
  packed_.reserve(static_cast<std::size_t>(outputs_ * (inputs_ + 1)));
  for (Index first = 0; first < outputs_; first += kTileRows) {
    const Index last = std::min(first + kTileRows, outputs_);
    for (Index r = first; r < last; ++r) packed_.push_back(bias(r));
    for (Index i = 0; i < inputs_; ++i) {
      for (Index r = first; r < last; ++r) packed_.push_back(weights(r, i));
    }
  }
}

// `finish` gets the rows of a few panels as soon as they are written.
template <class T>
template <class Finish>
void PackedAffine<T>::apply_panels(const ConstBlock<T>* parts, Index count, Block<T> out, const Finish& finish) const {
  using PanelKernel = void (*)(const T*, Index, const ConstBlock<T>*, Index, Block<T>);
  static constexpr PanelKernel kRests[kTileRows - 1] = {panels_over_lanes<T, 1>, panels_over_lanes<T, 2>,
                                                        panels_over_lanes<T, 3>, panels_over_lanes<T, 4>,
                                                        panels_over_lanes<T, 5>};
  constexpr Index kGroup = 4 * kTileRows;  // 6 KB of float32 results at most: they stay in the nearest cache
  const T* panel = packed_.data();
  const Index rest = outputs_ % kTileRows;
  for (Index first = 0; first < outputs_ - rest; first += kGroup) {
    const Block<T> rows = out.rows(first, std::min(kGroup, outputs_ - rest - first));
    panels_over_lanes<T, kTileRows>(panel, kTileRows * (inputs_ + 1), parts, count, rows);
    finish(rows);
    panel += rows.dim * (inputs_ + 1);
  }
  if (rest == 0) return;
  const Block<T> rows = out.rows(outputs_ - rest, rest);
  kRests[rest - 1](panel, rest * (inputs_ + 1), parts, count, rows);
  finish(rows);
}

template <class T>
void PackedAffine<T>::apply(const ConstBlock<T>* parts, Index count, Block<T> out) const {
  apply_panels(parts, count, out, [](Block<T> /*rows*/) {});
}

template <class T>
void PackedAffine<T>::apply(const ConstBlock<T>* parts, Index count, Activation activation, Block<T> out) const {
  apply_panels(parts, count, out, [activation](Block<T> rows) { activate<T>(activation, rows, rows); });
}

template class PackedAffine<float>;
template class PackedAffine<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
