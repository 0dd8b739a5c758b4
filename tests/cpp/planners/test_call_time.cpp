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

TEST_CASE("two calls tell what a call takes and what a row takes") {
  Calls calls{1e-4, 1e-6, {}};
  const CallTime time = measured_in(0.01, calls);
  CHECK(calls.rows == std::vector<Index>{1, 12});  // an eighth of the time, if each row took as long as the first call
  CHECK(time.of(1) == doctest::Approx(1.01e-4));
  // Half of what twelve rows took is theirs until more rows show that it is less.
  CHECK(time.of(12) <= 1.5 * (1e-4 + 12e-6));
  CallTime longer = time;
  longer.took(1000, calls(1000));
  CHECK(longer.of(1000) == doctest::Approx(1.1e-3));
  CHECK(static_cast<double>(longer.rows_in(2.1e-3)) == doctest::Approx(2000).epsilon(1e-3));
}

TEST_CASE("a slow row is measured alone") {
  Calls calls{0.0, 1e-3, {}};
  const CallTime time = measured_in(0.01, calls);
  CHECK(calls.rows == std::vector<Index>{1});
  CHECK(time.rows_in(0.0045) == 4);
  CHECK(time.rows_in(-1.0) == 1);
}

TEST_CASE("a first call that was held up does not make rows look cheap") {
  CallTime time;
  time.took(1, 0.1);
  time.took(4, 4e-3);
  CHECK(time.of(40) >= 0.5 * 40e-3);
  time.took(1, 1e-3);
  CHECK(time.of(40) >= 0.5 * 40e-3);
  CHECK(time.of(1) == doctest::Approx(1e-3));
}
