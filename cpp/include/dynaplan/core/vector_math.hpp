#pragma once

#include <cstdint>
#include <type_traits>

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The constants of `fast_exp`: e^r = 1 + r + r^2 (kSeries[0] + kSeries[1] r + ...) on |r| <= ln(2) / 2, and ln(2) in
/// two parts, the first with so few digits that its small multiples are exact.
template <class T>
struct ExpConstants;

template <>
struct ExpConstants<float> {
  using Bits = std::int32_t;
  static constexpr int kFractionBits = 23;
  static constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it leaves no bits for a fraction
  static constexpr float kLn2 = 0.693147180559945309F;
  static constexpr float kLn2High = 0.693359375F;
  static constexpr float kLn2Low = -2.12194440e-4F;
  static constexpr float kLow = -87.0F;  // below, results are subnormal
  static constexpr float kHigh = 88.0F;  // above, they overflow
  // Minimax for the relative error of e^r, 1.1e-7 (Remez exchange).
  static constexpr int kTerms = 4;
  static constexpr float kSeries[kTerms] = {0.499992315548F, 0.166671149452F, 0.0418901522915F, 0.00831249598126F};
};

template <>
struct ExpConstants<double> {
  using Bits = std::int64_t;
  static constexpr int kFractionBits = 52;
  static constexpr double kRound = 6755399441055744.0;  // 1.5 * 2^52
  static constexpr double kLn2High = 6.93145751953125e-1;
  static constexpr double kLn2Low = 1.42860682030941723212e-6;
  static constexpr double kLow = -708.0;
  static constexpr double kHigh = 709.0;
  // Taylor: the first term left out is (ln(2) / 2)^14 / 14! = 4e-18.
  static constexpr int kTerms = 12;
  static constexpr double kSeries[kTerms] = {1.0 / 2,       1.0 / 6,        1.0 / 24,        1.0 / 120,
                                             1.0 / 720,     1.0 / 5040,     1.0 / 40320,     1.0 / 362880,
                                             1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};
};

/// A vector between two bounds; a nan stays.
template <class V, class T>
[[gnu::always_inline]] inline V between(V x, T low, T high) {
  const V lower = V{} + low;
  const V upper = V{} + high;
  // Compilers make a comparison and a blend of a choice; the processor's minimum and maximum are one step each, and
  // give their second operand where one is a nan.
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<T, float>) {
    const __m512 raised = _mm512_max_ps(reinterpret_cast<__m512>(lower), reinterpret_cast<__m512>(x));
    return reinterpret_cast<V>(_mm512_min_ps(reinterpret_cast<__m512>(upper), raised));
  }
#elif defined(__AVX__)
  if constexpr (std::is_same_v<T, float>) {
    const __m256 raised = _mm256_max_ps(reinterpret_cast<__m256>(lower), reinterpret_cast<__m256>(x));
    return reinterpret_cast<V>(_mm256_min_ps(reinterpret_cast<__m256>(upper), raised));
  }
#elif defined(__SSE2__)
  if constexpr (std::is_same_v<T, float>) {
    const __m128 raised = _mm_max_ps(reinterpret_cast<__m128>(lower), reinterpret_cast<__m128>(x));
    return reinterpret_cast<V>(_mm_min_ps(reinterpret_cast<__m128>(upper), raised));
  }
#endif
  x = x < lower ? lower : x;
  return x > upper ? upper : x;
}

/// x - power ln(2), as if rounded once.
template <class T>
[[gnu::always_inline]] inline LaneVector<T> without_powers_of_two(LaneVector<T> x, LaneVector<T> power) {
  using C = ExpConstants<T>;
  // One step instead of two: a fused product needs no short factor, and float32 misses ln(2) by 2e-9 alone. Written as
  // an intrinsic because a compiler that optimises little does not fuse by itself.
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<T, float>) {
    const __m512 ln2 = _mm512_set1_ps(C::kLn2);
    return reinterpret_cast<LaneVector<T>>(
        _mm512_fnmadd_ps(reinterpret_cast<__m512>(power), ln2, reinterpret_cast<__m512>(x)));
  }
#elif defined(__FMA__)
  if constexpr (std::is_same_v<T, float>) {
    const __m256 ln2 = _mm256_set1_ps(C::kLn2);
    return reinterpret_cast<LaneVector<T>>(
        _mm256_fnmadd_ps(reinterpret_cast<__m256>(power), ln2, reinterpret_cast<__m256>(x)));
  }
#endif
  return (x - power * C::kLn2High) - power * C::kLn2Low;
}

/// e^x on a vector, within 2 ulp where neither argument nor result leaves the normal numbers; arguments beyond
/// kLow and kHigh count as these. Deliberately not std::exp: no call, so a kernel keeps its registers.
template <class T>
[[gnu::always_inline]] inline LaneVector<T> fast_exp(LaneVector<T> x) {
  using C = ExpConstants<T>;
  using Bits = LaneVector<typename C::Bits>;
  x = between(x, C::kLow, C::kHigh);
  const LaneVector<T> shifted = x * static_cast<T>(1.44269504088896340736) + C::kRound;
  const LaneVector<T> power = shifted - C::kRound;
  const LaneVector<T> r = without_powers_of_two<T>(x, power);
  LaneVector<T> sum = LaneVector<T>{} + C::kSeries[C::kTerms - 1];
  for (int i = C::kTerms - 2; i >= 0; --i) sum = sum * r + C::kSeries[i];
  sum = sum * r + T(1);
  sum = sum * r + T(1);
  // The low bits of `shifted` are the power of two; moved to the exponent they multiply by it.
  return reinterpret_cast<LaneVector<T>>(reinterpret_cast<Bits>(sum) +
                                         (reinterpret_cast<Bits>(shifted) << C::kFractionBits));
}

/// 1 / (1 + e^-x), within 3 ulp.
template <class T>
[[gnu::always_inline]] inline LaneVector<T> fast_sigmoid(LaneVector<T> x) {
  return T(1) / (T(1) + fast_exp<T>(-x));
}

/// tanh(x), within 3 ulp (Cephes tanhf, tanh: a series near 0, where the exponential would cancel).
template <class T>
[[gnu::always_inline]] inline LaneVector<T> fast_tanh(LaneVector<T> x) {
  const LaneVector<T> size = x < T(0) ? -x : x;
  const LaneVector<T> square = x * x;
  LaneVector<T> series;
  if constexpr (std::is_same_v<T, float>) {
    series = -5.70498872745e-3F * square + 2.06390887954e-2F;
    series = series * square - 5.37397155531e-2F;
    series = series * square + 1.33314422036e-1F;
    series = series * square - 3.33332819422e-1F;
  } else {
    const LaneVector<T> above =
        (-9.64399179425052238628e-1 * square - 9.92877231001918586564e1) * square - 1.61468768441708447952e3;
    const LaneVector<T> below =
        ((square + 1.12811678491632931402e2) * square + 2.23548839060100448583e3) * square + 4.84406305325125486048e3;
    series = above / below;
  }
  const LaneVector<T> near = series * square * x + x;
  const LaneVector<T> rising = T(1) - T(2) / (fast_exp<T>(size + size) + T(1));
  const LaneVector<T> far = x < T(0) ? -rising : rising;
  return size < T(0.625) ? near : far;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
