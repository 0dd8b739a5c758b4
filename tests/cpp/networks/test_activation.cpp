#include "dynaplan/networks/activation.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "dynaplan/core/error.hpp"
#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::Tile;

namespace {

double reference(Activation activation, double x) {
  switch (activation) {
    case Activation::kSiLU:
      return x / (1.0 + std::exp(-x));
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kReLU:
      break;
  }
  return x > 0.0 ? x : 0.0;
}

double reference_derivative(Activation activation, double x) {
  const double share = 1.0 / (1.0 + std::exp(-x));
  switch (activation) {
    case Activation::kSiLU:
      return share * (1.0 + x / (1.0 + std::exp(x)));
    case Activation::kTanh:
      return 1.0 / (std::cosh(x) * std::cosh(x));
    case Activation::kReLU:
      break;
  }
  return x > 0.0 ? 1.0 : 0.0;
}

constexpr Index kLanes = 64;

// Worst errors of value and derivative over [-30, 30], in units of the type's epsilon: relative for the value,
// absolute for the derivative, which crosses zero.
template <class T>
void check_against_standard_library(Activation activation, double value_limit, double derivative_limit) {
  Tile<T> x(1, kLanes);
  Tile<T> y(1, kLanes);
  Tile<T> gradient(1, kLanes);
  constexpr int kRounds = 4000;
  double worst = 0.0;
  double worst_derivative = 0.0;
  for (int round = 0; round < kRounds; ++round) {
    for (Index k = 0; k < kLanes; ++k) {
      const double at = (static_cast<double>(round) + static_cast<double>(k) / kLanes) / kRounds;
      x.block().row(0)[k] = static_cast<T>(-30.0 + 60.0 * at);
      gradient.block().row(0)[k] = T(2);
    }
    activate<T>(activation, x.block(), y.block());
    multiply_derivative<T>(activation, x.block(), gradient.block());
    for (Index k = 0; k < kLanes; ++k) {
      const double at = static_cast<double>(x.block().row(0)[k]);
      const double wanted = reference(activation, at);
      const double error = std::abs(static_cast<double>(y.block().row(0)[k]) - wanted);
      if (wanted != 0.0) worst = std::max(worst, error / std::abs(wanted));
      const double half = 0.5 * static_cast<double>(gradient.block().row(0)[k]);
      worst_derivative = std::max(worst_derivative, std::abs(half - reference_derivative(activation, at)));
    }
  }
  const double epsilon = static_cast<double>(std::numeric_limits<T>::epsilon());
  CHECK(worst < value_limit * epsilon);
  CHECK(worst_derivative < derivative_limit * epsilon);
}

}  // namespace

TEST_CASE("activations and their derivatives agree with the standard library") {
  for (const Activation activation : {Activation::kSiLU, Activation::kTanh, Activation::kReLU}) {
    CAPTURE(std::string(name_of(activation)));
    check_against_standard_library<float>(activation, 3.0, 4.0);
    check_against_standard_library<double>(activation, 3.0, 4.0);
  }
}

TEST_CASE_TEMPLATE("activations of extreme numbers stay finite, and a nan stays a nan", T, float, double) {
  const T nan = std::numeric_limits<T>::quiet_NaN();
  const T largest = std::numeric_limits<T>::max();
  Tile<T> x(1, kLanes);
  Tile<T> y(1, kLanes);
  lanes_of(x.block(), 0) = T(0);
  x.block().row(0)[0] = -largest;
  x.block().row(0)[1] = largest;
  x.block().row(0)[2] = nan;
  for (const Activation activation : {Activation::kSiLU, Activation::kTanh, Activation::kReLU}) {
    CAPTURE(std::string(name_of(activation)));
    activate<T>(activation, x.block(), y.block());
    const T* values = y.block().row(0);
    CHECK(values[0] <= T(0));
    CHECK(std::isfinite(values[1]));
    CHECK(values[1] >= T(1));
    CHECK(std::isnan(values[2]));
    CHECK(values[3] == T(0));
  }
}

TEST_CASE("activations are found by their names") {
  for (const Activation activation : {Activation::kSiLU, Activation::kTanh, Activation::kReLU}) {
    CHECK(activation_of(name_of(activation)) == activation);
  }
  CHECK_THROWS_WITH_AS(activation_of("gelu"), "activation: got 'gelu', must be one of 'silu', 'tanh', 'relu'",
                       ValueError);
}
