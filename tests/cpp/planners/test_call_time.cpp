#include "dynaplan/planners/call_time.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace dynaplan;

namespace {

// Calls that take so long by themselves and so long for each row, as they are made.
struct Calls {
  double of_call;
  double of_row;
  std::vector<Index> rows;

  double operator()(Index count) {
    rows.push_back(count);
    return of_call + of_row * static_cast<double>(count);
  }
};

CallTime measured_in(double seconds, Calls& calls) {
  return measured(seconds, 64, [&](Index count) { return calls(count); });
}

}  // namespace

TEST_CASE("a few calls tell what a call takes and, at most, what a row takes") {
  Calls calls{1e-4, 1e-6, {}};
  CallTime time = measured_in(0.01, calls);
  CHECK(calls.rows == std::vector<Index>{1, 12, 64});  // an eighth of the time, if each row took as long as before
  CHECK(time.of(1) == doctest::Approx(1.01e-4));
  CHECK(time.of(64) == doctest::Approx(1.64e-4));
  CHECK(time.of(1000) >= calls(1000));
  time.took(1000, calls(1000));
  CHECK(time.of(1000) == doctest::Approx(1.1e-3));
}

TEST_CASE("a slow row is measured alone") {
  Calls calls{0.0, 1e-3, {}};
  const CallTime time = measured_in(0.01, calls);
  CHECK(calls.rows == std::vector<Index>{1});
  CHECK_FALSE(time.knows_rows());
  CHECK(time.rows_in(0.0045) == 4);
  CHECK(time.rows_in(-1.0) == 1);
}

TEST_CASE("calls that are held up never make rows look cheaper than they are") {
  const double row = 1e-3;
  for (const double first : {1.0, 1.5, 20.0}) {
    for (const double second : {1.0, 1.1, 20.0}) {
      CallTime time;
      time.took(1, first * row);
      time.took(2, second * 2.0 * row);
      CHECK(time.knows_rows());
      CHECK(time.of(100) >= 99.9 * row);
    }
  }
}
