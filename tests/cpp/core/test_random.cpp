#include <doctest/doctest.h>

#include <cmath>

#include "dynaplan/core/random.hpp"
#include "dynaplan/core/word_stream.hpp"
#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::Tile;
using Counter = std::array<std::uint32_t, 4>;

TEST_CASE("philox gives the known answers of the Random123 distribution") {
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == Counter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        Counter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Counter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("normals are the Box-Muller transform of the philox words, to float32 accuracy") {
  Tile<double> tile(4, 64);
  fill_normal(Stream{7, 3, 2}, Purpose::kDynamics, 100, 8, tile.block());
  for (Index lane = 0; lane < 64; ++lane) {
    const Counter words = philox({static_cast<std::uint32_t>(100 + lane), 2, 2 * 4 + 1, 3}, {7, 0});
    const double radius = std::sqrt(-2.0 * std::log((words[0] + 0.5) / 4294967296.0));
    const double angle = 2.0 * 3.14159265358979323846 * words[1] / 4294967296.0;
    CHECK(tile(0, lane) == doctest::Approx(radius * std::cos(angle)).epsilon(3e-6));
    CHECK(tile(1, lane) == doctest::Approx(radius * std::sin(angle)).epsilon(3e-6));
  }
}

TEST_CASE("a candidate's numbers do not depend on how candidates are cut into blocks") {
  Tile<float> whole(6, 128);
  fill_normal(Stream{1, 2, 3}, Purpose::kActions, 0, 0, whole.block());
  for (const Index first : {Index{0}, Index{32}, Index{80}}) {
    Tile<float> part(6, 48);
    fill_normal(Stream{1, 2, 3}, Purpose::kActions, first, 0, part.block());
    for (Index row = 0; row < 6; ++row) {
      for (Index lane = 0; lane < 48; ++lane) CHECK(part(row, lane) == whole(row, first + lane));
    }
  }
}

TEST_CASE("normals have the moments and tails of a normal distribution") {
  double sum = 0.0;
  double squares = 0.0;
  double fourth = 0.0;
  double beyond_3 = 0.0;
  Tile<float> tile(32, 64);
  constexpr int kCalls = 500;  // about a million numbers
  for (std::uint32_t call = 0; call < kCalls; ++call) {
    fill_normal(Stream{11, call, 0}, Purpose::kActions, 0, 0, tile.block());
    for (Index row = 0; row < 32; ++row) {
      for (Index lane = 0; lane < 64; ++lane) {
        const double x = tile(row, lane);
        sum += x;
        squares += x * x;
        fourth += x * x * x * x;
        beyond_3 += std::abs(x) > 3.0 ? 1.0 : 0.0;
      }
    }
  }
  const double count = 32.0 * 64.0 * kCalls;
  CHECK(std::abs(sum / count) < 5.0 / std::sqrt(count));
  CHECK(std::abs(squares / count - 1.0) < 5.0 * std::sqrt(2.0 / count));
  CHECK(std::abs(fourth / count - 3.0) < 5.0 * std::sqrt(96.0 / count));
  CHECK(std::abs(beyond_3 / count - 0.0026998) < 5.0 * std::sqrt(0.0027 / count));
}

TEST_CASE("uniform numbers stay in [0, 1) and fill it evenly") {
  Tile<float> tile(64, 64);
  fill_uniform(Stream{5, 0, 0}, Purpose::kActions, 0, 0, tile.block());
  std::array<int, 8> bins{};
  for (Index row = 0; row < 64; ++row) {
    for (Index lane = 0; lane < 64; ++lane) {
      REQUIRE(tile(row, lane) >= 0.0F);
      REQUIRE(tile(row, lane) < 1.0F);
      ++bins[static_cast<std::size_t>(tile(row, lane) * 8.0F)];
    }
  }
  for (const int bin : bins) CHECK(std::abs(bin - 512) < 5 * 22);  // five standard deviations of a bin of 4096 / 8
}

TEST_CASE("a stream's words are those of philox, one after another, from any place on") {
  for (const std::uint64_t place : {std::uint64_t{0}, std::uint64_t{3}, std::uint64_t{250}, std::uint64_t{1} << 36}) {
    WordStream stream(0x500000009, place);
    for (std::uint64_t k = place; k < place + 600; ++k) {
      CHECK(stream.place() == k);
      const Counter words =
          philox({static_cast<std::uint32_t>(k / 4), static_cast<std::uint32_t>((k / 4) >> 32), 0, 0xffffffff}, {9, 5});
      CHECK(stream.next() == words[k % 4]);
    }
  }
}
