#include "dynaplan/networks/network_loss.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::Tile;

TEST_CASE_TEMPLATE("the logistic loss is minus the logarithm of the probability of what was seen", T, float, double) {
  const std::vector<Index> learned{1};
  const Index count = 10;
  const Index lanes = padded_lanes<T>(count);
  Tile<T> outputs(2, lanes);
  Tile<T> targets(2, lanes);
  const double log_odds[] = {-300.0, -3.0, 0.0, 0.5, 300.0};
  double expected = 0.0;
  for (Index k = 0; k < count; ++k) {
    const double m = log_odds[k / 2];
    const bool happened = k % 2 == 1;
    outputs(1, k) = static_cast<T>(m);
    targets(1, k) = static_cast<T>(happened);
    // ln(1 + e^-x) of the log-odds x of what was seen, which is -x for those far below 0.
    const double seen = happened ? m : -m;
    expected += seen < -100.0 ? -seen : std::log1p(std::exp(-seen));
  }
  for (Index k = count; k < lanes; ++k) outputs(1, k) = std::numeric_limits<T>::max();  // no samples
  Tile<T> gradient(2, lanes, 5);
  double sums[] = {0.0, 0.0};
  const LossInputs<T> inputs{outputs.view(), targets.view(), count, nullptr, nullptr, &learned};
  add_losses_and_gradient<T>(Loss::kLogistic, inputs, {sums}, {gradient.block(), nullptr, nullptr});
  const double tolerance = 8.0 * static_cast<double>(std::numeric_limits<T>::epsilon());
  CHECK(sums[0] == 0.0);
  CHECK(sums[1] == doctest::Approx(expected).epsilon(tolerance));
  for (Index k = 0; k < lanes; ++k) {
    CHECK(gradient(0, k) == T(0));
    const double happened = static_cast<double>(targets(1, k));
    const double slope = k < count ? (1.0 / (1.0 + std::exp(-log_odds[k / 2])) - happened) / 10.0 : 0.0;
    CHECK(std::abs(static_cast<double>(gradient(1, k)) - slope) <= tolerance);
  }
  double again[] = {0.0, 0.0};
  add_losses<T>(Loss::kLogistic, inputs, {again});
  CHECK(again[1] == sums[1]);
}
