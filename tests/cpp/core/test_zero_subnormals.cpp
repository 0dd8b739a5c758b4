#include <doctest/doctest.h>

#include <limits>

#include "dynaplan/core/zero_subnormals.hpp"

using namespace dynaplan;

namespace {

// Volatile: computed here and now, not by the compiler.
float half_of_the_smallest() {
  const volatile float smallest = std::numeric_limits<float>::min();
  const volatile float half = 0.5F * smallest;
  return half;
}

}  // namespace

TEST_CASE("subnormals are zero for as long as it lives, and what was before comes back") {
  if (std::numeric_limits<float>::has_denorm != std::denorm_present) return;
  CHECK(half_of_the_smallest() > 0.0F);
#if defined(__SSE2__)
  {
    const ZeroSubnormals zero;
    CHECK(half_of_the_smallest() == 0.0F);
    {
      const ZeroSubnormals again;
      CHECK(half_of_the_smallest() == 0.0F);
    }
    CHECK(half_of_the_smallest() == 0.0F);
  }
#endif
  CHECK(half_of_the_smallest() > 0.0F);
}
