#include "dynaplan/core/transpose.hpp"

#include <algorithm>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// Lanes handled together: each lane's row then stays in cache while its values are spread.
constexpr Index kGroup = 8;

}  // namespace

template <class T>
void rows_to_block(const T* rows, Index row_stride, Index count, Block<T> out) {
  Index lane = 0;
  for (; lane + kGroup <= count; lane += kGroup) {
    const T* from = rows + lane * row_stride;
    for (Index i = 0; i < out.dim; ++i) {
      T* to = out.row(i) + lane;
      for (Index k = 0; k < kGroup; ++k) to[k] = from[k * row_stride + i];
    }
  }
  for (; lane < out.lanes; ++lane) {
    const T* from = rows + std::min(lane, count - 1) * row_stride;
    for (Index i = 0; i < out.dim; ++i) out.row(i)[lane] = from[i];
  }
}

template <class T>
void block_to_rows(ConstBlock<T> block, Index count, T* rows, Index row_stride) {
  for (Index lane = 0; lane < count; ++lane) {
    T* to = rows + lane * row_stride;
    for (Index i = 0; i < block.dim; ++i) to[i] = block.row(i)[lane];
  }
}

template void rows_to_block<float>(const float*, Index, Index, Block<float>);
template void rows_to_block<double>(const double*, Index, Index, Block<double>);
template void block_to_rows<float>(ConstBlock<float>, Index, float*, Index);
template void block_to_rows<double>(ConstBlock<double>, Index, double*, Index);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
