#include <doctest/doctest.h>

#include <Eigen/Cholesky>
#include <cmath>

#include "dynaplan/fit/gram.hpp"
#include "dynaplan/fit/triangular_factor.hpp"
#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::random_matrix;
using dynaplan_test::Tile;

namespace {

// R^T R is what all factors of the same rows share; signs of rows may differ.
double distance(const Eigen::MatrixXd& upper, const Eigen::MatrixXd& rows) {
  const Eigen::MatrixXd expected = rows.transpose() * rows;
  return (upper.transpose() * upper - expected).norm() / expected.norm();
}

ConstBlock<double> as_block(const Eigen::MatrixXd& rows) {
  return {rows.data(), rows.cols(), rows.rows(), rows.rows()};
}

}  // namespace

TEST_CASE("appending in parts, merging and rotating rows in give the factor of all rows") {
  const Eigen::MatrixXd rows = random_matrix(40, 5, 1);
  TriangularFactor parts(5);
  parts.append(as_block(rows.topRows(3)), 3);
  parts.append(as_block(rows.middleRows(3, 30)), 30);
  TriangularFactor rest(5);
  rest.append(as_block(rows.bottomRows(7)), 7);
  parts.merge(rest);
  CHECK(distance(parts.upper(), rows) < 1e-14);
  CHECK(parts.rows() == 40);
  CHECK(parts.upper().isUpperTriangular());

  TriangularFactor rotated(5);
  for (Index i = 0; i < 40; ++i) {
    Eigen::VectorXd row = rows.row(i);
    rotated.rotate_in(row.data());
  }
  CHECK(distance(rotated.upper(), rows) < 1e-14);
  CHECK(rotated.rows() == 40);
}

TEST_CASE("discounting weighs earlier rows down") {
  const Eigen::MatrixXd rows = random_matrix(2, 2, 1);
  TriangularFactor factor(2);
  Eigen::VectorXd first = rows.row(0);
  Eigen::VectorXd second = rows.row(1);
  factor.rotate_in(first.data());
  factor.discount(0.25);
  factor.rotate_in(second.data());
  Eigen::MatrixXd weighted = rows;
  weighted.row(0) *= 0.5;
  CHECK(distance(factor.upper(), weighted) < 1e-14);
  CHECK(factor.rows() == 1.25);
}

TEST_CASE("columns may be of any size: the factor is scaled exactly as they are") {
  const Eigen::MatrixXd rows = random_matrix(40, 4, 3);
  for (const auto& exponents : {Eigen::Vector4i(600, -700, 0, 900), Eigen::Vector4i(-900, -900, -900, -900)}) {
    Eigen::MatrixXd scaled = rows;
    for (Index j = 0; j < 4; ++j)
      scaled.col(j) = rows.col(j).unaryExpr([&](double x) { return std::ldexp(x, exponents(j)); });
    TriangularFactor expected(4);
    TriangularFactor factor(4);
    for (const Index first : {0, 16, 24}) {
      const Index count = first == 0 ? 16 : 8;
      TriangularFactor expected_part(4);
      TriangularFactor part(4);
      expected_part.append(as_block(rows.middleRows(first, count)), static_cast<double>(count));
      part.append(as_block(scaled.middleRows(first, count)), static_cast<double>(count));
      expected.merge(expected_part);
      factor.merge(part);
    }
    for (Index j = 0; j < 4; ++j) {
      for (Index i = 0; i < 4; ++i) CHECK(factor.upper()(i, j) == std::ldexp(expected.upper()(i, j), exponents(j)));
      CHECK(length_of(scaled.col(j)) == doctest::Approx(std::ldexp(rows.col(j).norm(), exponents(j))));
    }
  }
}

TEST_CASE("discounting in a direction takes away what its product with X^T X says, and moves no coefficient") {
  const Eigen::MatrixXd rows = random_matrix(30, 5, 4);
  TriangularFactor factor(5);
  factor.append(as_block(rows), 30);
  const Eigen::MatrixXd before = factor.upper().transpose() * factor.upper();
  const Eigen::VectorXd direction = random_matrix(3, 1, 5);
  factor.discount_along(direction.data(), 3, 0.8, 0.5);
  CHECK(factor.upper().isUpperTriangular());
  CHECK(factor.rows() == 15);
  const Eigen::MatrixXd after = factor.upper().transpose() * factor.upper();
  const Eigen::MatrixXd known = before.topLeftCorner(3, 3);
  const Eigen::VectorXd w = known * direction;
  const Eigen::MatrixXd expected = known - 0.2 / direction.dot(w) * w * w.transpose();
  CHECK((after.topLeftCorner(3, 3) - expected).norm() < 1e-13 * known.norm());
  const Eigen::MatrixXd coefficients = known.ldlt().solve(before.topRightCorner(3, 2));
  CHECK((expected.ldlt().solve(after.topRightCorner(3, 2)) - coefficients).norm() < 1e-13);
  const Eigen::MatrixXd rest = before.bottomRightCorner(2, 2) - before.bottomLeftCorner(2, 3) * coefficients;
  const Eigen::MatrixXd rest_after = after.bottomRightCorner(2, 2) - after.bottomLeftCorner(2, 3) * coefficients;
  CHECK((rest_after - 0.5 * rest).norm() < 1e-13 * rest.norm());

  TriangularFactor empty(5);
  empty.discount_along(direction.data(), 3, 0.8, 1.0);
  CHECK(empty.upper().isZero(0.0));
}

TEST_CASE("substitution solves z R = row for any number of columns and lanes") {
  for (const Index columns : {1, 2, 3, 4, 5, 8, 11, 42}) {
    for (const Index vectors : {1, 2, 4, 5, 9}) {
      const Index lanes = vectors * kVectorLanes<double>;
      Eigen::MatrixXd upper = random_matrix(columns, columns, 7).triangularView<Eigen::Upper>();
      upper.diagonal().array() += 10.0;
      const Index padded = (columns + kGramTile - 1) / kGramTile * kGramTile;
      Tile<double> tile(padded, lanes, 8);
      const Tile<double> before = tile;
      solve_rows(upper, tile.block());
      for (Index k = 0; k < lanes; ++k) {
        for (Index j = 0; j < padded; ++j) {
          double product = j < columns ? 0.0 : tile(j, k);
          for (Index i = 0; i <= j && j < columns; ++i) product += tile(i, k) * upper(i, j);
          REQUIRE(product == doctest::Approx(before(j, k)).epsilon(1e-12));
        }
      }
    }
  }
}

TEST_CASE("a Gram sum is the sum of outer products over all blocks added") {
  GramSum sum(12);
  Eigen::MatrixXd expected = Eigen::MatrixXd::Zero(10, 10);
  for (unsigned seed = 0; seed < 3; ++seed) {
    const Tile<double> tile(12, 64, seed);
    sum.add(tile.view());
    for (Index k = 0; k < 64; ++k) {
      for (Index i = 0; i < 10; ++i) {
        for (Index j = i; j < 10; ++j) expected(i, j) += tile(i, k) * tile(j, k);
      }
    }
  }
  CHECK((sum.upper(10) - expected).cwiseAbs().maxCoeff() < 1e-12);
}
