#include "dynaplan/core/check.hpp"

#include <doctest/doctest.h>

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <string>

#include "dynaplan/core/error.hpp"

using namespace dynaplan;

namespace {

struct Printed {
  double number;
  const char* text;
};

// What repr prints in Python.
constexpr Printed kDoubles[] = {
    {0.0, "0.0"},
    {-0.0, "-0.0"},
    {1.0, "1.0"},
    {-1.0, "-1.0"},
    {0.1, "0.1"},
    {-1e-9, "-1e-09"},
    {0.5, "0.5"},
    {100.0, "100.0"},
    {123456.0, "123456.0"},
    {123456.789, "123456.789"},
    {1e15, "1000000000000000.0"},
    {1e16, "1e+16"},
    {-1e16, "-1e+16"},
    {9999999999999998.0, "9999999999999998.0"},
    {1.5e16, "1.5e+16"},
    {1e22, "1e+22"},
    {1e23, "1e+23"},
    {1e100, "1e+100"},
    {1e-4, "0.0001"},
    {0.00012345, "0.00012345"},
    {9.999e-5, "9.999e-05"},
    {1e-5, "1e-05"},
    {1.5e-7, "1.5e-07"},
    {0.001, "0.001"},
    {3.141592653589793, "3.141592653589793"},
    {0.30000000000000004, "0.30000000000000004"},
    {2.2250738585072014e-308, "2.2250738585072014e-308"},
    {5e-324, "5e-324"},
    {1.7976931348623157e+308, "1.7976931348623157e+308"},
    {9007199254740993.0, "9007199254740992.0"},
    {4.35, "4.35"},
    {0.3333333333333333, "0.3333333333333333"},
    {1e-10, "1e-10"},
    {12345678901234567.0, "1.2345678901234568e+16"},
    {2.5e-5, "2.5e-05"},
    {86400.0, "86400.0"},
};

// What str prints of a numpy.float32.
constexpr struct {
  float number;
  const char* text;
} kFloats[] = {
    {0.0F, "0.0"},
    {0.1F, "0.1"},
    {1.0F, "1.0"},
    {-1e-9F, "-1e-09"},
    {16777216.0F, "16777216.0"},
    {0.33333334F, "0.33333334"},
    {1e16F, "1e+16"},
    {3.4028235e+38F, "3.4028235e+38"},
    {1e-45F, "1e-45"},
    {1.1F, "1.1"},
    {0.0001F, "0.0001"},
    {9.9999e-05F, "9.9999e-05"},
    {123456.79F, "123456.79"},
    {1e15F, "1000000000000000.0"},
    {6.7F, "6.7"},
};

template <class Float, class Bits>
void check_round_trip(Float (*read)(const char*, char**)) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 100000; ++i) {
    const Bits bits = static_cast<Bits>(random());
    Float number;
    std::memcpy(&number, &bits, sizeof(number));
    if (!std::isfinite(number)) continue;
    const std::string text = text_of(number);
    const Float back = read(text.c_str(), nullptr);
    const bool same = std::memcmp(&back, &number, sizeof(number)) == 0;
    // Nothing that Python would read as an integer, and nothing that repr would write in the other form.
    const bool is_float = text.find_first_of(".e") != std::string::npos;
    const Float size = std::abs(number);
    const bool is_plain = size == Float(0) || (size >= Float(1e-4) && size < Float(1e16));
    const bool right_form = (text.find('e') == std::string::npos) == is_plain;
    if (!same || !is_float || !right_form) FAIL(text);
  }
}

}  // namespace

TEST_CASE("a number is printed as Python's repr prints it") {
  for (const Printed& printed : kDoubles) CHECK(text_of(printed.number) == printed.text);
  for (const auto& printed : kFloats) CHECK(text_of(printed.number) == printed.text);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(text_of(nan) == "nan");
  CHECK(text_of(-nan) == "nan");
  CHECK(text_of(std::numeric_limits<double>::infinity()) == "inf");
  CHECK(text_of(-std::numeric_limits<float>::infinity()) == "-inf");
  CHECK(text_of(7) == "7");
  CHECK(text_of(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  CHECK(text_of(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
  CHECK(text_of("silu") == "'silu'");
  CHECK(rounded_text(1.0 / 3.0) == "0.333333");
  CHECK(rounded_text(-0.99999999) == "-1.0");
  CHECK(rounded_text(123456789.0) == "123457000.0");
  CHECK(rounded_text(1.0 / 3e20) == "3.33333e-21");
  CHECK(rounded_text(0.0) == "0.0");
}

TEST_CASE("the text of a number reads back as the number, in the form that repr chooses") {
  check_round_trip<double, std::uint64_t>(std::strtod);
  check_round_trip<float, std::uint32_t>(std::strtof);
}

TEST_CASE("shapes are printed as Python prints them") {
  CHECK(shape_text({}) == "()");
  CHECK(shape_text({3}) == "(3,)");
  CHECK(shape_text({2, 3, -1}) == "(2, 3, any)");
}

TEST_CASE("numbers out of range are refused by name, nan always") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK_NOTHROW(require(true, "x", nan, "anything"));
  CHECK_THROWS_WITH_AS(require(false, "x", -1e-9, "finite and above 0"), "x: got -1e-09, must be finite and above 0",
                       ValueError);
  CHECK_NOTHROW(require_at_least("n", 1, 1));
  CHECK_THROWS_WITH_AS(require_at_least("n", 0, 1), "n: got 0, must be at least 1", ValueError);
  CHECK_NOTHROW(require_in("n", 3, 0, 3));
  CHECK_THROWS_WITH_AS(require_in("n", 4, 0, 3), "n: got 4, must be from 0 to 3", ValueError);
  CHECK_THROWS_WITH_AS(require_finite("x", -infinity), "x: got -inf, must be finite", ValueError);
  CHECK_NOTHROW(require_positive("x", 5e-324));
  CHECK_THROWS_WITH_AS(require_positive("x", 0.0), "x: got 0.0, must be finite and above 0", ValueError);
  CHECK_THROWS_AS(require_positive("x", infinity), ValueError);
  CHECK_NOTHROW(require_not_negative("x", 0.0));
  CHECK_THROWS_WITH_AS(require_not_negative("x", nan), "x: got nan, must be finite and at least 0", ValueError);
  CHECK_NOTHROW(require_fraction("x", 1.0));
  CHECK_THROWS_WITH_AS(require_fraction("x", 1.5), "x: got 1.5, must be in [0, 1]", ValueError);
  CHECK_THROWS_WITH_AS(require_positive_fraction("x", 0.0), "x: got 0.0, must be in (0, 1]", ValueError);
  CHECK_THROWS_WITH_AS(require_fraction_below_one("x", 1.0), "x: got 1.0, must be in [0, 1)", ValueError);
  CHECK_THROWS_AS(require_fraction("x", nan), ValueError);
  CHECK_NOTHROW(require_bounds(-infinity, infinity));
  CHECK_THROWS_WITH_AS(require_bounds(2.0, 1.0), "low: got 2.0, must be at most high = 1.0", ValueError);
  CHECK_THROWS_AS(require_bounds(nan, 1.0), ValueError);
}

TEST_CASE("entries that are not finite are named") {
  const double values[] = {0.0, 1.0, 2.0, 1e39, 4.0, std::numeric_limits<double>::quiet_NaN()};
  CHECK_NOTHROW(require_finite("x", nullptr, 6));
  CHECK_NOTHROW(require_finite("x", values, 5));
  CHECK_THROWS_WITH_AS(require_finite("x", values, 6), "x: entry 5 is nan, must be finite", ValueError);
  CHECK_THROWS_WITH_AS(require_finite("x", values, 2, 3), "x: row 1, column 2 is nan, must be finite", ValueError);
  CHECK_THROWS_WITH_AS(require_finite("x", values, 6, 1), "x: row 5 is nan, must be finite", ValueError);
  CHECK_THROWS_WITH_AS(require_finite_float32("x", values, 2, 3),
                       "x: row 1, column 0 is 1e+39, must be a finite float32", ValueError);
  Eigen::MatrixXf matrix = Eigen::MatrixXf::Zero(2, 3);
  CHECK_NOTHROW(require_finite_matrix("x", matrix));
  matrix(1, 0) = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH_AS(require_finite_matrix("x", matrix), "x: row 1, column 0 is inf, must be finite", ValueError);
}

TEST_CASE("sizes that do not fit are refused by name") {
  CHECK_THROWS_WITH_AS(require_dim("state_dim", 0), "state_dim: got 0, must be at least 1", ShapeError);
  CHECK_THROWS_WITH_AS(require_columns("states", 0), "states: got 0 columns, must be at least 1", ShapeError);
  CHECK_THROWS_WITH_AS(require_size("x", 3, 4), "x: got shape (3,), must be (4,)", ShapeError);
  CHECK_THROWS_WITH_AS(require_shape("x", 3, 4, 3, 3), "x: got shape (3, 4), must be (3, 3)", ShapeError);
  CHECK_THROWS_WITH_AS(require_same_size("low", 3, "high", 2), "low: got shape (3,), must be (2,) as high", ShapeError);
  CHECK_THROWS_WITH_AS(require_model_dims("reward", "a compiled function", {3, 1}, {2, 2}),
                       "reward: got a compiled function for 3 states and 1 action, must be for the model's 2 and 2",
                       ShapeError);
  CHECK_THROWS_WITH_AS(require_model_states("reward", "a linear term", 1, 2),
                       "reward: got a linear term for 1 state, must be for the model's 2", ShapeError);
  CHECK_THROWS_WITH_AS(require_model_actions("reward", "an action cost", 2, 1),
                       "reward: got an action cost for 2 actions, must be for the model's 1", ShapeError);
  CHECK_NOTHROW(require_model_entry("reward", "a distance", "state", 2, 3));
  CHECK_THROWS_WITH_AS(require_model_entry("reward", "a distance", "state", 3, 3),
                       "reward: got a distance of state 3, must be of one of the model's 3 states", ShapeError);
  CHECK_THROWS_AS(require_model_entry("reward", "a distance", "state", -1, 3), ShapeError);
}
