#include <doctest/doctest.h>

#include <cmath>

#include "dynaplan/core/error.hpp"
#include "dynaplan/models/features.hpp"
#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::Tile;

TEST_CASE("there are as many monomials as the binomial coefficient says, each once") {
  CHECK(PolynomialFeatures(4, 1).count() == 4);
  CHECK(PolynomialFeatures(4, 2).count() == 14);  // C(6, 2) - 1
  CHECK(PolynomialFeatures(3, 4).count() == 34);  // C(7, 4) - 1
  const PolynomialFeatures features(3, 4);
  std::vector<std::vector<int>> seen;
  for (Index f = 0; f < features.count(); ++f) {
    const std::vector<int> exponents = features.exponents(f);
    CHECK(std::find(seen.begin(), seen.end(), exponents) == seen.end());
    seen.push_back(exponents);
  }
}

TEST_CASE("a product is the inputs to the power of its exponents") {
  const PolynomialFeatures features(3, 3);
  Tile<double> state(2, 8, 1);
  Tile<double> action(1, 8, 2);
  Tile<double> products(features.products_count(), 8);
  features.products<double>(state.view(), action.view(), products.block());
  for (Index f = features.inputs(); f < features.count(); ++f) {
    const std::vector<int> power = features.exponents(f);
    for (Index lane = 0; lane < 8; ++lane) {
      const double expected =
          std::pow(state(0, lane), power[0]) * std::pow(state(1, lane), power[1]) * std::pow(action(0, lane), power[2]);
      CHECK(products(f - 3, lane) == doctest::Approx(expected).epsilon(1e-14));
    }
  }
}

TEST_CASE("a degree that would give too many features is refused before they are made") {
  CHECK_THROWS_AS(PolynomialFeatures(100, 5), ValueError);
  CHECK_THROWS_AS(PolynomialFeatures(3, 0), ValueError);
  CHECK_THROWS_AS(PolynomialFeatures(0, 1), ShapeError);
}
