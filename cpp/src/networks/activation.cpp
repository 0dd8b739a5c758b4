#include "dynaplan/networks/activation.hpp"

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

Activation activation_of(const std::string& name) {
  std::string names;
  for (const Activation activation : kActivations) {
    if (name == name_of(activation)) return activation;
    names += (names.empty() ? "" : ", ") + text_of(name_of(activation));
  }
  throw_value_error("activation", text_of(name), "one of " + names);
}

const char* name_of(Activation activation) {
  const char* name = nullptr;
  with_activation(activation, [&](auto function) { name = function.kName; });
  return name;
}

namespace {

// Rows that follow each other without a gap are one long row: the loop over a short one would be all beginning and end.
template <class T, class Use>
void for_rows(ConstBlock<T> x, Block<T> y, const Use& use) {
  constexpr Index kWidth = kVectorLanes<T>;
  const bool gapless = x.lanes == x.stride && y.lanes == y.stride;
  const Index rows = gapless ? 1 : x.dim;
  const Index lanes = gapless ? x.dim * x.lanes : x.lanes;
  for (Index i = 0; i < rows; ++i) {
    const T* const from = x.row(i);
    T* const to = y.row(i);
    Index k = 0;
    // Two at a time: their long chains of operations overlap.
    for (; k + 2 * kWidth <= lanes; k += 2 * kWidth) {
      const LaneVector<T> first = use(load_lanes(from + k), load_lanes<T>(to + k));
      const LaneVector<T> second = use(load_lanes(from + k + kWidth), load_lanes<T>(to + k + kWidth));
      store_lanes(to + k, first);
      store_lanes(to + k + kWidth, second);
    }
    if (k < lanes) store_lanes(to + k, use(load_lanes(from + k), load_lanes<T>(to + k)));
  }
}

}  // namespace

template <class T>
void activate(Activation activation, ConstBlock<T> x, Block<T> y) {
  using Lanes = LaneVector<T>;
  with_activation(activation, [&](auto function) {
    for_rows(x, y, [&](Lanes from, Lanes /*before*/) { return function.template value<T>(from); });
  });
}

template <class T>
void multiply_derivative(Activation activation, ConstBlock<T> x, Block<T> gradient) {
  using Lanes = LaneVector<T>;
  with_activation(activation, [&](auto function) {
    for_rows(x, gradient, [&](Lanes from, Lanes before) { return before * function.template derivative<T>(from); });
  });
}

template void activate<float>(Activation, ConstBlock<float>, Block<float>);
template void activate<double>(Activation, ConstBlock<double>, Block<double>);
template void multiply_derivative<float>(Activation, ConstBlock<float>, Block<float>);
template void multiply_derivative<double>(Activation, ConstBlock<double>, Block<double>);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
