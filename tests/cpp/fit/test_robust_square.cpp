#include "dynaplan/fit/robust_square.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "dynaplan/core/random.hpp"

using namespace dynaplan;

namespace {

template <class T>
std::vector<T> normals(Index count) {
  std::vector<T> numbers(static_cast<std::size_t>(4 * count));
  fill_normal<T>({5, 1, 0}, Purpose::kActions, 0, 0, {numbers.data(), 4, count, count});
  return numbers;
}

}  // namespace

TEST_CASE_TEMPLATE("of Gaussian errors it is their variance, in any unit", T, float, double) {
  std::vector<T> errors = normals<T>(16384);
  for (const double unit : {1.0, 1e-6, 1e6}) {
    std::vector<T> scaled = errors;
    for (T& error : scaled) error *= static_cast<T>(unit);
    CHECK(robust_square(scaled.data(), 65536) / (unit * unit) == doctest::Approx(1.0).epsilon(0.02));
  }
}

TEST_CASE("a tenth of the errors adds little, however large it is") {
  std::vector<double> errors = normals<double>(16384);
  for (std::size_t i = 0; i < errors.size(); i += 10) errors[i] = 10.0;
  const double far = robust_square(errors.data(), 65536);
  CHECK(far < 1.5);
  for (std::size_t i = 0; i < errors.size(); i += 10) errors[i] = 1e9;
  CHECK(robust_square(errors.data(), 65536) == doctest::Approx(far).epsilon(1e-4));
}

TEST_CASE("of few errors it is what the equation says, and 0 of none") {
  const std::vector<double> same(7, -3.0);
  // All are below the cutoff: the mean square by the share that Gaussian errors keep of theirs.
  CHECK(robust_square(same.data(), 7) == doctest::Approx(9.0 / 0.7101645482690486));
  const std::vector<double> none(7, 0.0);
  CHECK(robust_square(none.data(), 7) == 0.0);
}
