#pragma once

#include <type_traits>
#include <utility>

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A tile of accumulators that stay in registers over a whole product: rows x vectors of lanes. 6 x 4 fill the 32
/// registers of AVX-512, 6 x 2 the 16 of the others.
inline constexpr Index kTileRows = 6;
template <class T>
inline constexpr int kTileVectors = kVectorLanes<T> * static_cast<Index>(sizeof(T)) >= 64 ? 4 : 2;

/// Calls use(0), use(1), ... with constants, so that an array they index is kept in registers from the start; a loop is
/// unrolled too late for that, and its array makes a detour through the stack.
template <class Use, int... Indices>
[[gnu::always_inline]] inline void for_constants(std::integer_sequence<int, Indices...> /*count*/, const Use& use) {
  (use(std::integral_constant<int, Indices>{}), ...);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
