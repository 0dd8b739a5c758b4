#pragma once

#include <string>

#include "dynaplan/core/vector_math.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// What a network applies between its layers. Everything that distinguishes activations is in this file.
enum class Activation { kSiLU, kTanh, kReLU };
inline constexpr Activation kActivations[] = {Activation::kSiLU, Activation::kTanh, Activation::kReLU};

/// The activation of a name; throws ValueError if there is none.
Activation activation_of(const std::string& name);
const char* name_of(Activation activation);

/// y = f(x) on whole rows; `y` may be `x`.
template <class T>
void activate(Activation activation, ConstBlock<T> x, Block<T> y);

/// `gradient` *= f'(x), with x the input of the activation.
template <class T>
void multiply_derivative(Activation activation, ConstBlock<T> x, Block<T> gradient);

/// x / (1 + e^-x) (Elfwing et al. 2018; "swish").
struct SiLU {
  static constexpr bool kSlopeOfValue = false;
  static constexpr const char* kName = "silu";

  template <class T>
  [[gnu::always_inline]] static LaneVector<T> value(LaneVector<T> x) {
    return x / (T(1) + fast_exp<T>(-x));
  }
  template <class T>
  [[gnu::always_inline]] static LaneVector<T> derivative(LaneVector<T> x) {
    const LaneVector<T> decay = fast_exp<T>(-x);
    const LaneVector<T> share = T(1) / (T(1) + decay);
    return share * (T(1) + x * (decay * share));  // decay * share is 1 - share, without its cancellation
  }
};

struct Tanh {
  static constexpr bool kSlopeOfValue = false;
  static constexpr const char* kName = "tanh";

  template <class T>
  [[gnu::always_inline]] static LaneVector<T> value(LaneVector<T> x) {
    return fast_tanh<T>(x);
  }
  template <class T>
  [[gnu::always_inline]] static LaneVector<T> derivative(LaneVector<T> x) {
    const LaneVector<T> y = fast_tanh<T>(x);
    return T(1) - y * y;
  }
};

/// A nan stays a nan; the derivative at 0 is 0, as in other libraries.
struct ReLU {
  /// The derivative at x is that at f(x), so that a backward pass needs nothing beside the values.
  static constexpr bool kSlopeOfValue = true;
  static constexpr const char* kName = "relu";

  template <class T>
  [[gnu::always_inline]] static LaneVector<T> value(LaneVector<T> x) {
    return x < T(0) ? LaneVector<T>{} : x;
  }
  template <class T>
  [[gnu::always_inline]] static LaneVector<T> derivative(LaneVector<T> x) {
    return x > T(0) ? LaneVector<T>{} + T(1) : LaneVector<T>{};
  }
};

/// Calls `use` with the functions of an activation, so that a kernel has them inline.
template <class Use>
void with_activation(Activation activation, const Use& use) {
  switch (activation) {
    case Activation::kSiLU:
      return use(SiLU{});
    case Activation::kTanh:
      return use(Tanh{});
    case Activation::kReLU:
      return use(ReLU{});
  }
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
