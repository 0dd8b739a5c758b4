#include "dynaplan/planners/sequence_noise.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <complex>

#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::Tile;

namespace {

// The sums as a matrix (H, inputs): what each normal alone becomes. Two actions, of which the second stays silent.
Eigen::MatrixXd sums_of(const NoiseSettings& settings, Index horizon) {
  const std::vector<Eigen::MatrixXd> wanted = noise_sums(horizon, settings);
  const SequenceNoise<float> noise(wanted);
  const Index inputs = wanted.front().cols();
  const Index lanes = padded_lanes<float>(inputs);
  Tile<float> normals(2 * inputs, lanes);
  Tile<float> out(2 * horizon, lanes);
  for (Index i = 0; i < normals.block().dim; ++i) lanes_of(normals.block(), i).setZero();
  for (Index j = 0; j < inputs; ++j) normals.block().row(2 * j)[j] = 1.0F;
  noise.apply(normals.view(), out.block());
  Eigen::MatrixXd sums(horizon, inputs);
  for (Index t = 0; t < horizon; ++t) {
    for (Index j = 0; j < inputs; ++j) {
      sums(t, j) = static_cast<double>(out(2 * t, j));
      CHECK(out(2 * t + 1, j) == 0.0F);
    }
  }
  return sums;
}

// Power of the noise at `wave` turns a horizon.
double power(const Eigen::MatrixXd& sums, Index wave) {
  const auto steps = static_cast<double>(sums.rows());
  Eigen::VectorXcd turns(sums.rows());
  for (Index t = 0; t < sums.rows(); ++t) {
    turns(t) = std::polar(1.0, -2.0 * 3.14159265358979323846 * static_cast<double>(wave * t) / steps);
  }
  return (turns.transpose() * sums.cast<std::complex<double>>()).squaredNorm();
}

}  // namespace

TEST_CASE("coloured noise has unit variance at every step, and its power falls as a power of the frequency") {
  for (const Index horizon : {1, 2, 3, 17, 30}) {
    for (const double exponent : {0.25, 2.0, 3.5}) {
      const Eigen::MatrixXd sums = sums_of({{exponent}, 0, 1}, horizon);
      for (Index t = 0; t < horizon; ++t) CHECK(sums.row(t).squaredNorm() == doctest::Approx(1.0).epsilon(1e-5));
      for (Index wave = 2; wave <= (horizon - 1) / 2; ++wave) {
        const double expected = std::pow(static_cast<double>(wave), -exponent);
        CHECK(power(sums, wave) / power(sums, 1) == doctest::Approx(expected).epsilon(1e-3));
      }
    }
  }
}

TEST_CASE("noise of exponent 0 is white, and takes no sums") {
  CHECK(noise_sums(12, {{0.0, 0.0}, 0, 1}).empty());
  const Eigen::MatrixXd sums = sums_of({{0.0, 1.0}, 0, 1}, 12);
  CHECK((sums * sums.transpose() - Eigen::MatrixXd::Identity(12, 12)).cwiseAbs().maxCoeff() < 1e-6);
}

TEST_CASE("between knots noise is their mean by the distances, scaled to unit variance") {
  const Eigen::MatrixXd sums = sums_of({{0.0}, 3, 1}, 9);
  for (Index t = 0; t < 9; ++t) {
    const double place = static_cast<double>(t) / 4.0;
    Eigen::Vector3d shares(std::max(0.0, 1.0 - place), 1.0 - std::abs(place - 1.0), std::max(0.0, place - 1.0));
    shares.normalize();
    CHECK((sums.row(t).transpose() - shares).cwiseAbs().maxCoeff() < 1e-6);
  }
  CHECK((sums_of({{0.0}, 1, 1}, 5).array() == 1.0).all());
  CHECK(sums_of({{0.0}, 1, 1}, 1)(0, 0) == 1.0);
}

TEST_CASE("smoothing keeps parabolas away from the ends, but for the scale, and takes out what alternates") {
  const Eigen::MatrixXd sums = sums_of({{0.0}, 0, 5}, 12);
  Eigen::VectorXd parabola(12);
  Eigen::VectorXd alternating(12);
  for (Index t = 0; t < 12; ++t) {
    const auto at = static_cast<double>(t);
    parabola(t) = 0.5 * at * at - at;
    alternating(t) = t % 2 == 0 ? 1.0 : -1.0;
  }
  // The weights (-3, 12, 17, 12, -3) / 35 of Savitzky & Golay 1964, whose squares have the sum 17 / 35.
  const double scale = std::sqrt(35.0 / 17.0);
  for (Index t = 2; t < 10; ++t) {
    CHECK((sums * parabola)(t) == doctest::Approx(scale * parabola(t)).epsilon(1e-5));
    CHECK(std::abs((sums * alternating)(t)) == doctest::Approx(scale * 13.0 / 35.0).epsilon(1e-5));
  }
}

TEST_CASE("every combination has unit variance at every step, for each action by its own exponent") {
  for (const Index knots : {0, 1, 2, 5, 11}) {
    for (const Index window : {1, 5, 9, 21}) {
      const NoiseSettings settings{{0.0, 2.0, 50.0}, knots, window};
      const std::vector<Eigen::MatrixXd> sums = noise_sums(11, settings);
      CHECK(sums.size() == 3);
      for (const Eigen::MatrixXd& one : sums) {
        CHECK(one.cols() == (knots > 0 ? knots : 11));
        for (Index t = 0; t < 11; ++t) CHECK(one.row(t).squaredNorm() == doctest::Approx(1.0).epsilon(1e-12));
      }
    }
  }
}
