#include "dynaplan/networks/product.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace dynaplan;

namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Whole numbers, so that sums are exact in any order and the products may be compared with ==.
template <class T>
void check(Index rows, Index inner, Index vectors) {
  using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Index lanes = vectors * kVectorLanes<T>;
  const auto number = [](Index i, Index j) { return static_cast<double>((i * 7 + j * 3) % 11 - 5); };
  const RowMajor left = RowMajor::NullaryExpr(rows, inner, number);
  const RowMajor right = RowMajor::NullaryExpr(inner, lanes, number);
  const Eigen::VectorXd start = Eigen::VectorXd::LinSpaced(rows, 1.0, static_cast<double>(rows));
  const RowMajor expected = left * right;

  const Matrix plain = left.cast<T>();
  const Matrix transposed = left.transpose().cast<T>();
  const Matrix inputs = right.cast<T>();
  const Eigen::Matrix<T, Eigen::Dynamic, 1> starts = start.cast<T>();
  Matrix out(rows, lanes);
  Index finished = 0;
  multiply<T>({plain.data(), inner, 1}, starts.data(), {inputs.data(), inner, lanes, lanes},
              {out.data(), rows, lanes, lanes}, [&](Index first, Block<T> done) {
                CHECK(first == finished);
                finished += done.dim;
              });
  CHECK(finished == rows);
  CHECK(out.template cast<double>() == (expected.colwise() + start).eval());
  multiply<T>({transposed.data(), 1, rows}, nullptr, {inputs.data(), inner, lanes, lanes},
              {out.data(), rows, lanes, lanes}, [](Index, Block<T>) {});
  CHECK(out.template cast<double>() == expected);
}

}  // namespace

TEST_CASE("products agree with Eigen for every number of rows and vectors, either orientation") {
  for (Index rows = 1; rows <= 13; ++rows) {
    for (Index vectors = 1; vectors <= 9; ++vectors) {
      check<float>(rows, 5, vectors);
      check<double>(rows, 3, vectors);
    }
  }
  check<float>(6, 0, 4);
}
