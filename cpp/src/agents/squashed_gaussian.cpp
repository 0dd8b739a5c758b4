#include "dynaplan/agents/squashed_gaussian.hpp"

#include "dynaplan/core/vector_math.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

template <class T>
using Lanes = LaneVector<T>;

template <class T>
[[gnu::always_inline]] inline Lanes<T> logarithm(Lanes<T> x) {
  Eigen::Array<T, kVectorLanes<T>, 1> numbers;
  store_lanes(numbers.data(), x);
  numbers = numbers.log();
  return load_lanes<T>(numbers.data());
}

template <class T>
[[gnu::always_inline]] inline Lanes<T> log_deviation(Lanes<T> raw) {
  return between(raw, static_cast<T>(kMinLogDeviation), static_cast<T>(kMaxLogDeviation));
}

}  // namespace

template <class T>
void sample_squashed_gaussian(ConstBlock<T> outputs, ConstBlock<T> noise, Block<T> actions, T* log_prob) {
  constexpr T kLog2 = static_cast<T>(0.693147180559945309417);
  constexpr T kHalfLog2Pi = static_cast<T>(0.918938533204672741780);
  for (Index lane = 0; lane < actions.lanes; lane += kVectorLanes<T>) {
    Lanes<T> total{};
    for (Index i = 0; i < actions.dim; ++i) {
      const Lanes<T> mean = load_lanes(outputs.row(i) + lane);
      const Lanes<T> log_std = log_deviation<T>(load_lanes(outputs.row(actions.dim + i) + lane));
      const Lanes<T> normal = load_lanes(noise.row(i) + lane);
      const Lanes<T> u = mean + fast_exp<T>(log_std) * normal;
      const Lanes<T> size = u < T(0) ? -u : u;
      const Lanes<T> log_slope = T(2) * (kLog2 - size - logarithm<T>(T(1) + fast_exp<T>(T(-2) * size)));
      total -= T(0.5) * normal * normal + log_std + kHalfLog2Pi + log_slope;
      store_lanes(actions.row(i) + lane, fast_tanh<T>(u));
    }
    store_lanes(log_prob + lane, total);
  }
}

template <class T>
void mode_of_squashed_gaussian(ConstBlock<T> outputs, Block<T> actions) {
  for (Index i = 0; i < actions.dim; ++i) {
    for (Index lane = 0; lane < actions.lanes; lane += kVectorLanes<T>) {
      store_lanes(actions.row(i) + lane, fast_tanh<T>(load_lanes(outputs.row(i) + lane)));
    }
  }
}

template <class T>
void squashed_gaussian_gradient(ConstBlock<T> outputs, ConstBlock<T> noise, ConstBlock<T> actions,
                                ConstBlock<T> by_actions, T by_log_prob, Block<T> by_outputs) {
  const Index dim = actions.dim;
  for (Index i = 0; i < dim; ++i) {
    for (Index lane = 0; lane < actions.lanes; lane += kVectorLanes<T>) {
      const Lanes<T> raw = load_lanes(outputs.row(dim + i) + lane);
      const Lanes<T> log_std = log_deviation<T>(raw);
      const Lanes<T> action = load_lanes(actions.row(i) + lane);
      // The slope of ln(1 - tanh(u)^2) is -2 tanh(u).
      const Lanes<T> by_u =
          load_lanes(by_actions.row(i) + lane) * (T(1) - action * action) + by_log_prob * (T(2) * action);
      const Lanes<T> by_log_std = by_u * (fast_exp<T>(log_std) * load_lanes(noise.row(i) + lane)) - by_log_prob;
      store_lanes(by_outputs.row(i) + lane, by_u);
      store_lanes(by_outputs.row(dim + i) + lane, raw == log_std ? by_log_std : Lanes<T>{});
    }
  }
}

template void sample_squashed_gaussian<float>(ConstBlock<float>, ConstBlock<float>, Block<float>, float*);
template void sample_squashed_gaussian<double>(ConstBlock<double>, ConstBlock<double>, Block<double>, double*);
template void mode_of_squashed_gaussian<float>(ConstBlock<float>, Block<float>);
template void mode_of_squashed_gaussian<double>(ConstBlock<double>, Block<double>);
template void squashed_gaussian_gradient<float>(ConstBlock<float>, ConstBlock<float>, ConstBlock<float>,
                                                ConstBlock<float>, float, Block<float>);
template void squashed_gaussian_gradient<double>(ConstBlock<double>, ConstBlock<double>, ConstBlock<double>,
                                                 ConstBlock<double>, double, Block<double>);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
