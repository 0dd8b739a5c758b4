#include "dynaplan/agents/squashed_gaussian.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::Tile;

namespace {

// Lanes are the points at which a density is asked for: u = mean + deviation x noise, whatever the mean.
template <class T>
struct Drawn {
  Drawn(const std::vector<double>& noises, double mean, double log_deviation)
      : lanes(padded_lanes<T>(static_cast<Index>(noises.size()))),
        outputs(2, lanes),
        noise(1, lanes),
        actions(1, lanes),
        log_prob(1, lanes) {
    for (Index k = 0; k < lanes; ++k) {
      outputs(0, k) = static_cast<T>(mean);
      outputs(1, k) = static_cast<T>(log_deviation);
      noise(0, k) = static_cast<T>(noises[static_cast<std::size_t>(std::min<Index>(k, noises.size() - 1))]);
    }
    sample_squashed_gaussian<T>(outputs.view(), noise.view(), actions.block(), log_prob.block().row(0));
  }

  Index lanes;
  Tile<T> outputs, noise, actions, log_prob;
};

std::vector<double> grid(Index count, double end) {
  std::vector<double> points;
  for (Index k = 0; k < count; ++k) {
    points.push_back(-end + 2.0 * end * static_cast<double>(k) / static_cast<double>(count - 1));
  }
  return points;
}

}  // namespace

TEST_CASE_TEMPLATE("the density of the actions integrates to 1", T, float, double) {
  for (const double mean : {0.0, 0.7, -2.0}) {
    for (const double log_deviation : {-3.0, 0.0, 1.5}) {
      // A wide distribution has its mass where float32 knows no actions between those.
      if (std::is_same_v<T, float> && log_deviation > 0.0) continue;
      const Index count = 4001;
      const Drawn<T> drawn(grid(count, 8.0), mean, log_deviation);
      double total = 0.0;  // trapezoids in the action
      for (Index k = 0; k + 1 < count; ++k) {
        const double width = static_cast<double>(drawn.actions(0, k + 1)) - static_cast<double>(drawn.actions(0, k));
        total += 0.5 * width *
                 (std::exp(static_cast<double>(drawn.log_prob(0, k))) +
                  std::exp(static_cast<double>(drawn.log_prob(0, k + 1))));
      }
      CHECK(total == doctest::Approx(1.0).epsilon(std::is_same_v<T, float> ? 1e-3 : 1e-4));
    }
  }
}

TEST_CASE_TEMPLATE("log_prob is exact where tanh is saturated", T, float, double) {
  // mean 40, deviation e^-1, noise 1: u = 40 + 0.3679; ln(1 - tanh(u)^2) = ln 4 - 2 u to 35 digits.
  const Drawn<T> drawn({1.0}, 40.0, -1.0);
  const double u = 40.0 + std::exp(-1.0);
  const double expected = -0.5 + 1.0 - 0.5 * std::log(2.0 * M_PI) - (std::log(4.0) - 2.0 * u);
  CHECK(static_cast<double>(drawn.log_prob(0, 0)) ==
        doctest::Approx(expected).epsilon(std::is_same_v<T, float> ? 1e-6 : 1e-14));
}

TEST_CASE("log standard deviations are kept from -20 to 2") {
  const std::vector<double> one{1.0};
  CHECK(Drawn<double>(one, 0.0, 5.0).actions(0, 0) == doctest::Approx(std::tanh(std::exp(2.0))));
  CHECK(Drawn<double>(one, 0.0, -50.0).actions(0, 0) == doctest::Approx(std::exp(-20.0)));
}

TEST_CASE("the gradient agrees with central differences") {
  const Index lanes = padded_lanes<double>(8);
  Tile<double> outputs(4, lanes, 1);
  outputs(2, 0) = 3.0;  // beyond the bounds: no slope
  const Tile<double> noise(2, lanes, 2);
  const Tile<double> weights(2, lanes, 3);  // the loss is weights . actions + 0.4 log_prob
  const auto loss = [&](Index lane) {
    Tile<double> actions(2, lanes);
    Tile<double> log_prob(1, lanes);
    sample_squashed_gaussian<double>(outputs.view(), noise.view(), actions.block(), log_prob.block().row(0));
    return weights(0, lane) * actions(0, lane) + weights(1, lane) * actions(1, lane) + 0.4 * log_prob(0, lane);
  };
  Tile<double> actions(2, lanes);
  Tile<double> log_prob(1, lanes);
  Tile<double> gradient(4, lanes);
  sample_squashed_gaussian<double>(outputs.view(), noise.view(), actions.block(), log_prob.block().row(0));
  squashed_gaussian_gradient<double>(outputs.view(), noise.view(), actions.view(), weights.view(), 0.4,
                                     gradient.block());
  const double h = 1e-6;
  for (Index i = 0; i < 4; ++i) {
    for (Index k = 0; k < lanes; ++k) {
      const double value = outputs(i, k);
      outputs(i, k) = value + h;
      const double above = loss(k);
      outputs(i, k) = value - h;
      const double below = loss(k);
      outputs(i, k) = value;
      CHECK(gradient(i, k) == doctest::Approx((above - below) / (2.0 * h)).epsilon(1e-7).scale(1e-1));
    }
  }
}
