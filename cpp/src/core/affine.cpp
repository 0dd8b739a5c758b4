#include "dynaplan/core/affine.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// Calls use(0), use(1), ... with constants, so that an array they index is kept in registers from the start; a loop is
// unrolled too late for that, and its array makes a detour through the stack.
template <class Use, int... Indices>
[[gnu::always_inline]] inline void for_constants(std::integer_sequence<int, Indices...> /*count*/, const Use& use) {
  (use(std::integral_constant<int, Indices>{}), ...);
}

// The accumulators of Rows outputs x Vectors vectors of lanes live in registers over all inputs.
template <class T, int Rows, int Vectors>
void tile(const T* panel, const ConstBlock<T>* parts, Index count, Index lane, Block<T> out, Index first_row) {
  using Lanes = LaneVector<T>;
  constexpr Index kWidth = kVectorLanes<T>;
  constexpr std::make_integer_sequence<int, Rows * Vectors> kAll;
  constexpr std::make_integer_sequence<int, Vectors> kVectors;
  Lanes sum[Rows * Vectors];
  for_constants(kAll, [&](auto i) { sum[i] = Lanes{} + panel[i / Vectors]; });
  const T* weight = panel + Rows;
  for (Index part = 0; part < count; ++part) {
    const T* input = parts[part].data + lane;
    for (Index i = 0; i < parts[part].dim; ++i, input += parts[part].stride, weight += Rows) {
      Lanes x[Vectors];
      for_constants(kVectors, [&](auto v) { x[v] = load_lanes(input + v * kWidth); });
      for_constants(kAll, [&](auto j) { sum[j] += weight[j / Vectors] * x[j % Vectors]; });
    }
  }
  T* const target = out.row(first_row) + lane;
  for_constants(kAll,
                [&](auto i) { store_lanes(target + (i / Vectors) * out.stride + (i % Vectors) * kWidth, sum[i]); });
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

// `finish` gets the rows of each panel as soon as they are written.
template <class T>
template <class Finish>
void PackedAffine<T>::apply_panels(const ConstBlock<T>* parts, Index count, Block<T> out, const Finish& finish) const {
  using PanelKernel = void (*)(const T*, const ConstBlock<T>*, Index, Block<T>, Index);
  static constexpr PanelKernel kKernels[kPanelRows] = {panel_over_lanes<T, 1>, panel_over_lanes<T, 2>,
                                                       panel_over_lanes<T, 3>, panel_over_lanes<T, 4>,
                                                       panel_over_lanes<T, 5>, panel_over_lanes<T, 6>};
  const T* panel = packed_.data();
  for (Index first = 0; first < outputs_; first += kPanelRows) {
    const Index rows = std::min(kPanelRows, outputs_ - first);
    kKernels[rows - 1](panel, parts, count, out, first);
    finish(out.rows(first, rows));
    panel += rows * (inputs_ + 1);
  }
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
