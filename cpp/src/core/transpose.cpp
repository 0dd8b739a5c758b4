#include "dynaplan/core/transpose.hpp"

#include <algorithm>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// Square tiles are transposed in registers by Eigen's own shuffles, which it has for every instruction set. A tile that
// would reach beyond the last feature is moved back instead and does some of the work twice.
template <class T>
struct FullVector {
  using Packet = typename Eigen::internal::packet_traits<T>::type;
  static constexpr int kSide = Eigen::internal::unpacket_traits<Packet>::size;
};

template <class Wider>
struct HalfOf {
  using Packet = typename Eigen::internal::unpacket_traits<typename Wider::Packet>::half;
  static constexpr int kSide = Eigen::internal::unpacket_traits<Packet>::size;
};

template <class Vector, class T>
void transpose_tile(const T* from, Index from_stride, T* to, Index to_stride) {
  namespace packets = Eigen::internal;
  using Packet = typename Vector::Packet;
  constexpr int kSize = Vector::kSide;
  packets::PacketBlock<Packet, kSize> tile;
  for (int k = 0; k < kSize; ++k) tile.packet[k] = packets::ploadu<Packet>(from + k * from_stride);
  packets::ptranspose(tile);
  for (int i = 0; i < kSize; ++i) packets::pstoreu(to + i * to_stride, tile.packet[i]);
}

// A trajectory is contiguous on one side of a transposition. The loop over trajectories is the outer one, so that the
// processor follows no more streams through memory than a tile has.
enum class Trajectories { kInRows, kInColumns };

// Transposes the largest multiple of the tile's side of `rows` x `columns`; returns how many rows were transposed.
template <class Vector, class T>
Index transpose_tiles(const T* from, Index from_stride, Index rows, Index columns, T* to, Index to_stride,
                      Trajectories side) {
  constexpr Index kSize = Vector::kSide;
  if (columns < kSize) return 0;
  const Index transposed = rows / kSize * kSize;
  const auto transpose_at = [&](Index row, Index column) {
    const Index start = std::min(column, columns - kSize);
    transpose_tile<Vector>(from + row * from_stride + start, from_stride, to + start * to_stride + row, to_stride);
  };
  if (side == Trajectories::kInRows) {
    for (Index row = 0; row < transposed; row += kSize) {
      for (Index column = 0; column < columns; column += kSize) transpose_at(row, column);
    }
  } else {
    for (Index column = 0; column < columns; column += kSize) {
      for (Index row = 0; row < transposed; row += kSize) transpose_at(row, column);
    }
  }
  return transposed;
}

// out(j, i) = in(i, j) for a rows x columns array.
template <class T>
void transpose(const T* from, Index from_stride, Index rows, Index columns, T* to, Index to_stride, Trajectories side) {
  using Full = FullVector<T>;
  using Half = HalfOf<Full>;
  using Quarter = HalfOf<Half>;
  Index row = transpose_tiles<Full>(from, from_stride, rows, columns, to, to_stride, side);
  row += transpose_tiles<Half>(from + row * from_stride, from_stride, rows - row, columns, to + row, to_stride, side);
  if constexpr (Quarter::kSide > 1) {
    row +=
        transpose_tiles<Quarter>(from + row * from_stride, from_stride, rows - row, columns, to + row, to_stride, side);
  }
  for (; row < rows; ++row) {
    for (Index column = 0; column < columns; ++column) to[column * to_stride + row] = from[row * from_stride + column];
  }
}

}  // namespace

template <class T>
void rows_to_block(const T* rows, Index row_stride, Index count, Block<T> out) {
  transpose(rows, row_stride, count, out.dim, out.data, out.stride, Trajectories::kInRows);
  for (Index i = 0; i < out.dim; ++i) std::fill(out.row(i) + count, out.row(i) + out.lanes, out.row(i)[count - 1]);
}

template <class T>
void block_to_rows(ConstBlock<T> block, Index count, T* rows, Index row_stride) {
  transpose(block.data, block.stride, block.dim, count, rows, row_stride, Trajectories::kInColumns);
}

template void rows_to_block<float>(const float*, Index, Index, Block<float>);
template void rows_to_block<double>(const double*, Index, Index, Block<double>);
template void block_to_rows<float>(ConstBlock<float>, Index, float*, Index);
template void block_to_rows<double>(ConstBlock<double>, Index, double*, Index);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
