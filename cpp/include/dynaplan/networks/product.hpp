#pragma once

#include "dynaplan/networks/register_tile.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A matrix whose numbers are read one at a time, (i, k) at `data[i * row_stride + k * column_stride]`: so a transposed
/// matrix is the same numbers with the strides exchanged.
template <class T>
struct MatrixView {
  const T* data = nullptr;
  Index row_stride = 0;
  Index column_stride = 0;

  MatrixView from_row(Index row) const { return {data + row * row_stride, row_stride, column_stride}; }
};

/// out(i, lane) = start(i) + sum over k of left(i, k) right(k, lane), for the `out.dim` <= kTileRows rows of `out`.
/// Unlike PackedAffine's, the numbers are read where they are: in training they change with every product. `start` may
/// be null: zeros. `out` does not alias `right`. The sum runs over k in order.
/// Arguments are references because the copy of a block that has just been made waits until all results so far are
/// stored, as long as a tenth of this product.
template <class T>
void multiply_rows(const MatrixView<T>& left, const T* start, const ConstBlock<T>& right, const Block<T>& out);

/// The same for any number of rows; after each few of them, `finish(first, rows)` gets the rows that are done while
/// they are in the nearest cache.
template <class T, class Finish>
void multiply(const MatrixView<T>& left, const T* start, const ConstBlock<T>& right, const Block<T>& out,
              const Finish& finish) {
  for (Index first = 0; first < out.dim; first += kTileRows) {
    const Index count = out.dim - first < kTileRows ? out.dim - first : kTileRows;
    const Block<T> rows = out.rows(first, count);
    multiply_rows(left.from_row(first), start == nullptr ? nullptr : start + first, right, rows);
    finish(first, rows);
  }
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
