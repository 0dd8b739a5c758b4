#pragma once

#include <Eigen/Core>

#include "dynaplan/core/level.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

using Index = Eigen::Index;

/// Lanes of one processor vector of `T`.
template <class T>
inline constexpr Index kVectorLanes = EIGEN_MAX_STATIC_ALIGN_BYTES > 0
                                          ? EIGEN_MAX_STATIC_ALIGN_BYTES / static_cast<Index>(sizeof(T))
                                          : 1;

/// One processor vector, by the extension that GCC and Clang share. Eigen's fixed-size arrays express the same, but
/// GCC's straight-line vectoriser takes the start values of a register tile of them apart into scalars.
template <class T>
struct LaneVectorOf {
  using Type [[gnu::vector_size(kVectorLanes<T> * sizeof(T)), gnu::may_alias]] = T;
};
template <class T>
using LaneVector = typename LaneVectorOf<T>::Type;

template <class T>
LaneVector<T> load_lanes(const T* from) {
  return *reinterpret_cast<const LaneVector<T>*>(from);
}

template <class T>
void store_lanes(T* to, LaneVector<T> value) {
  *reinterpret_cast<LaneVector<T>*>(to) = value;
}

/// Trajectories that advance in lock-step. Flat from 64 to 256 in measurements, slower below 32.
inline constexpr Index kMaxLanes = 64;

/// `lanes` rounded up to whole vectors: the lanes a kernel really computes.
template <class T>
constexpr Index padded_lanes(Index lanes) {
  return (lanes + kVectorLanes<T> - 1) / kVectorLanes<T> * kVectorLanes<T>;
}

/// A view of a tile of trajectories: features in rows, lanes in columns, lanes contiguous, `stride` apart.
/// `lanes` is a multiple of the vector width and rows are aligned to it.
template <class T>
struct Block {
  T* data = nullptr;
  Index dim = 0;
  Index lanes = 0;
  Index stride = 0;

  T* row(Index i) const { return data + i * stride; }
  Block rows(Index first, Index count) const { return {row(first), count, lanes, stride}; }
  operator Block<const T>() const { return {data, dim, lanes, stride}; }
};

template <class T>
using ConstBlock = Block<const T>;

/// A row of a block as an Eigen array: aligned, whole vectors long, so that no entry is treated apart.
template <class T>
Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>, Eigen::AlignedMax> lanes_of(const T* row, Index lanes) {
  return {row, lanes};
}

template <class T>
Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>, Eigen::AlignedMax> lanes_of(Block<T> block, Index row) {
  return {block.row(row), block.lanes};
}

template <class T>
void copy_block(ConstBlock<T> from, Block<T> to) {
  for (Index i = 0; i < from.dim; ++i) lanes_of(to, i) = lanes_of(from.row(i), from.lanes);
}

template <class T>
void add_block(ConstBlock<T> from, Block<T> to) {
  for (Index i = 0; i < from.dim; ++i) lanes_of(to, i) += lanes_of(from.row(i), from.lanes);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
