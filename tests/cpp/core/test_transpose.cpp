#include <doctest/doctest.h>

#include "dynaplan/core/transpose.hpp"
#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::Tile;

TEST_CASE_TEMPLATE("rows become lanes and lanes rows, for any size, touching nothing else", T, float, double) {
  for (Index dim = 1; dim <= 37; ++dim) {
    for (const Index count : {1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 52, 64}) {
      const Index stride = dim + 2;
      std::vector<T> rows(static_cast<std::size_t>(count * stride));
      for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<T>(i);
      const Index lanes = padded_lanes<T>(count);
      Tile<T> tile(dim, lanes);
      rows_to_block(rows.data(), stride, count, tile.block());
      for (Index lane = 0; lane < lanes; ++lane) {
        const Index row = std::min(lane, count - 1);
        for (Index i = 0; i < dim; ++i) REQUIRE(tile(i, lane) == static_cast<T>(row * stride + i));
      }
      std::vector<T> back(rows.size(), T(-1));
      block_to_rows<T>(tile.view(), count, back.data(), stride);
      for (Index row = 0; row < count; ++row) {
        for (Index i = 0; i < stride; ++i) {
          const auto place = static_cast<std::size_t>(row * stride + i);
          REQUIRE(back[place] == (i < dim ? rows[place] : T(-1)));
        }
      }
    }
  }
}

TEST_CASE("a stride of zero spreads one row over all lanes") {
  const float row[] = {1.0F, 2.0F, 3.0F};
  Tile<float> tile(3, 32);
  rows_to_block(row, 0, 20, tile.block());
  for (Index i = 0; i < 3; ++i) {
    for (Index lane = 0; lane < 32; ++lane) CHECK(tile(i, lane) == row[i]);
  }
}
