#include "dynaplan/planners/sequence_noise.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <complex>

#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::Tile;

namespace {

// The sums as a matrix (H, inputs): what each normal alone becomes. Two actions, of which the second stays silent.
Eigen::MatrixXd sums_of(const SequenceNoise<float>& noise, Index horizon) {
  const Index lanes = padded_lanes<float>(noise.inputs());
  Tile<float> normals(2 * noise.inputs(), lanes);
  Tile<float> out(2 * horizon, lanes);
  for (Index i = 0; i < normals.block().dim; ++i) lanes_of(normals.block(), i).setZero();
  for (Index j = 0; j < noise.inputs(); ++j) normals.block().row(2 * j)[j] = 1.0F;
  noise.apply(normals.view(), out.block());
  Eigen::MatrixXd sums(horizon, noise.inputs());
  for (Index t = 0; t < horizon; ++t) {
    for (Index j = 0; j < noise.inputs(); ++j) {
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
    for (const double exponent : {0.0, 0.25, 2.0, 3.5}) {
      const Eigen::MatrixXd sums = sums_of(SequenceNoise<float>::coloured(horizon, exponent), horizon);
      for (Index t = 0; t < horizon; ++t) CHECK(sums.row(t).squaredNorm() == doctest::Approx(1.0).epsilon(1e-5));
      for (Index wave = 2; wave <= (horizon - 1) / 2; ++wave) {
        const double expected = std::pow(static_cast<double>(wave), -exponent);
        CHECK(power(sums, wave) / power(sums, 1) == doctest::Approx(expected).epsilon(1e-3));
      }
    }
  }
}

TEST_CASE("noise of exponent 0 is white") {
  const Eigen::MatrixXd sums = sums_of(SequenceNoise<float>::coloured(12, 0.0), 12);
  CHECK((sums * sums.transpose() - Eigen::MatrixXd::Identity(12, 12)).cwiseAbs().maxCoeff() < 1e-6);
}

TEST_CASE("noise between knots runs in straight lines from the first step to the last") {
  const Eigen::MatrixXd sums = sums_of(SequenceNoise<float>::between_knots(9, 3), 9);
  const Eigen::Vector3d knots(1.0, -3.0, 5.0);
  const Eigen::VectorXd noise = sums * knots;
  for (Index t = 0; t < 9; ++t) {
    const double place = static_cast<double>(t) / 4.0;
    CHECK(noise(t) == doctest::Approx(t <= 4 ? 1.0 - 4.0 * place : -3.0 + 8.0 * (place - 1.0)).epsilon(1e-6));
  }
  CHECK((sums_of(SequenceNoise<float>::between_knots(5, 1), 5).array() == 1.0).all());
  CHECK(sums_of(SequenceNoise<float>::between_knots(1, 1), 1)(0, 0) == 1.0);
}
