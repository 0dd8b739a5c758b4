#include <doctest/doctest.h>

#include "dynaplan/core/error.hpp"
#include "dynaplan/terminations/c_function.hpp"
#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::Tile;

namespace {

// Ends where s'_1 > a_0, from step 2 on.
template <class F>
void beyond(const F* /*state*/, const F* action, const F* next_state, std::int64_t stride, std::int64_t lanes,
            std::int64_t step, void* /*user_data*/, std::uint8_t* ended) {
  for (std::int64_t k = 0; k < lanes; ++k) {
    if (step >= 2 && next_state[stride + k] > action[k]) ended[k] = 255;
  }
}

template <class T, class F>
void check_marks() {
  const Index lanes = 16;
  const Tile<T> next(2, lanes, 1);
  const Tile<T> action(1, lanes, 2);
  const CFunctionTermination<T> termination(CFunction<TerminationSignature>(&beyond<F>, nullptr, nullptr), 2, 1);
  Workspace workspace;
  workspace.reserve(termination.workspace_bytes(lanes));
  for (const Index step : {1, 2}) {
    std::vector<T, Eigen::aligned_allocator<T>> alive(lanes, T(1));
    alive[3] = T(0);
    termination.mark({next.view(), action.view(), {}, next.view(), {}, step}, workspace, alive.data());
    for (Index k = 0; k < lanes; ++k) {
      const bool ends = k == 3 || (step == 2 && next(1, k) > action(0, k));
      CHECK(alive[static_cast<std::size_t>(k)] == (ends ? T(0) : T(1)));
    }
  }
}

}  // namespace

TEST_CASE("a compiled termination ends the lanes that it names, and brings none back") {
  check_marks<float, float>();
  check_marks<float, double>();
  check_marks<double, float>();
  check_marks<double, double>();
}

TEST_CASE("a compiled termination must read what the model has") {
  const CFunction<TerminationSignature> function(&beyond<double>, nullptr, nullptr);
  CHECK_THROWS_AS(CFunctionTermination<double>(function, 1, 0), ShapeError);
  CHECK_THROWS_AS(CFunctionTermination<double>(function, 2, 1).require_dims(2, 2), ShapeError);
}
