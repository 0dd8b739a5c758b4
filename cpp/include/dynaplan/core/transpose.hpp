#pragma once

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Reads `count` rows of `dim` values, `row_stride` apart, into the first lanes of a block; the lanes beyond `count`
/// repeat the last row, so that what is computed there is harmless.
template <class T>
void rows_to_block(const T* rows, Index row_stride, Index count, Block<T> out);

/// Writes the first `count` lanes of a block as rows, `row_stride` apart.
template <class T>
void block_to_rows(ConstBlock<T> block, Index count, T* rows, Index row_stride);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
