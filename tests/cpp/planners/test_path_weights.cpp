#include "dynaplan/planners/path_weights.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

using namespace dynaplan;

namespace {

CandidateNumbers<float> random_returns(std::size_t count, float scale) {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  CandidateNumbers<float> returns(count);
  for (float& one : returns) one = scale * normal(generator);
  return returns;
}

double effective(const CandidateNumbers<float>& weights) {
  double squares = 0.0;
  for (const float weight : weights) squares += static_cast<double>(weight) * static_cast<double>(weight);
  return 1.0 / squares;
}

}  // namespace

TEST_CASE("weights are the exponentials of the returns over the temperature, with the sum 1") {
  for (const std::size_t count : {1U, 15U, 16U, 100U}) {
    const CandidateNumbers<float> returns = random_returns(count, 5.0F);
    CandidateNumbers<float> weights = returns;
    weigh(2.0, weights);
    REQUIRE(weights.size() == count);
    double sum = 0.0;
    for (const float one : returns) sum += std::exp(static_cast<double>(one) / 2.0);
    for (std::size_t n = 0; n < count; ++n) {
      CHECK(static_cast<double>(weights[n]) ==
            doctest::Approx(std::exp(static_cast<double>(returns[n]) / 2.0) / sum).epsilon(1e-5));
    }
  }
}

TEST_CASE("temperatures beyond float32 are as cold or as hot as can be") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const CandidateNumbers<float> returns = {1.0F, 2.0F, -kInfinity, 0.0F};
  CandidateNumbers<float> cold = returns;
  weigh(1e-300, cold);
  CHECK(cold == CandidateNumbers<float>{0.0F, 1.0F, 0.0F, 0.0F});
  CandidateNumbers<float> hot = returns;
  weigh(1e300, hot);
  for (const std::size_t n : {0, 1, 3}) CHECK(hot[n] == doctest::Approx(1.0 / 3.0));
  CHECK(hot[2] == 0.0F);
}

TEST_CASE("where no return is finite the first candidate has all the weight") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float value : {-kInfinity, kInfinity, std::numeric_limits<float>::quiet_NaN()}) {
    CandidateNumbers<float> weights = {value, value, value};
    weigh(1.0, weights);
    CHECK(weights == CandidateNumbers<float>{1.0F, 0.0F, 0.0F});
  }
}

TEST_CASE("a candidate of minus infinity weighs nothing, at any temperature") {
  for (const double temperature : {1e-20, 1.0, 1e30}) {
    CandidateNumbers<float> weights = {-std::numeric_limits<float>::infinity(), 1.0F, 1.0F};
    weigh(temperature, weights);
    CHECK(weights[0] == 0.0F);
    CHECK(weights[1] == 0.5F);
  }
}

TEST_CASE("the temperature is found at which the weights amount to as many candidates, whatever the scale") {
  for (const float scale : {1e-6F, 1.0F, 1e9F}) {
    for (const double wanted : {1.5, 10.0, 60.0}) {
      CandidateNumbers<float> weights = random_returns(100, scale);
      weights[3] = -std::numeric_limits<float>::infinity();
      weigh_for(wanted, weights);
      CHECK(effective(weights) == doctest::Approx(wanted).epsilon(1e-2));
      CHECK(weights[3] == 0.0F);
    }
  }
  CandidateNumbers<float> same(50, -2.0F);
  weigh_for(10.0, same);
  for (const float weight : same) CHECK(weight == doctest::Approx(0.02));
}
