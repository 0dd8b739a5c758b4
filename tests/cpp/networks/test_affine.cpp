#include <doctest/doctest.h>

#include "dynaplan/networks/affine.hpp"
#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::random_matrix;
using dynaplan_test::Tile;

namespace {

template <class T>
void check_size(Index outputs, Index inputs, Index lanes) {
  const Eigen::MatrixXd weights = random_matrix(outputs, inputs, 1);
  const Eigen::VectorXd bias = random_matrix(outputs, 1, 2);
  const PackedAffine<T> affine(weights.cast<T>(), bias.cast<T>());
  Tile<T> first(inputs / 2, lanes, 3);
  Tile<T> second(inputs - inputs / 2, lanes, 4);
  Tile<T> out(outputs, lanes);
  const ConstBlock<T> parts[] = {first.view(), second.view()};
  affine.apply(parts, 2, out.block());
  const double tolerance = sizeof(T) == 4 ? 2e-5 : 1e-13;
  for (Index lane = 0; lane < lanes; ++lane) {
    for (Index o = 0; o < outputs; ++o) {
      double expected = bias(o);
      for (Index i = 0; i < inputs; ++i) {
        expected += weights(o, i) * (i < inputs / 2 ? first(i, lane) : second(i - inputs / 2, lane));
      }
      REQUIRE(std::abs(out(o, lane) - expected) < tolerance * (1.0 + std::abs(expected)));
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("a packed product equals the plain one for any size", T, float, double) {
  for (const Index outputs : {1, 2, 3, 4, 5, 6, 7, 12, 17, 19}) {
    for (const Index inputs : {1, 2, 5, 23, 64}) {
      for (const Index vectors : {1, 2, 3, 4, 5, 7}) check_size<T>(outputs, inputs, vectors * kVectorLanes<T>);
    }
  }
}

TEST_CASE("a lane's result does not depend on how many lanes there are") {
  const PackedAffine<float> affine(random_matrix(17, 9, 1).cast<float>(), random_matrix(17, 1, 2).cast<float>());
  const Index lanes = 7 * kVectorLanes<float>;
  Tile<float> input(9, lanes, 5);
  Tile<float> all(17, lanes);
  const ConstBlock<float> whole = input.view();
  affine.apply(&whole, 1, all.block());
  for (Index lane = 0; lane < lanes; lane += kVectorLanes<float>) {
    Tile<float> one(17, kVectorLanes<float>);
    const ConstBlock<float> part{&input(0, lane), 9, kVectorLanes<float>, lanes};
    affine.apply(&part, 1, one.block());
    for (Index row = 0; row < 17; ++row) {
      for (Index k = 0; k < kVectorLanes<float>; ++k) REQUIRE(one(row, k) == all(row, lane + k));
    }
  }
}
