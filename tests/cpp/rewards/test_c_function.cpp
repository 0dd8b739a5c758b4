#include <doctest/doctest.h>

#include "dynaplan/core/error.hpp"
#include "dynaplan/rewards/c_function.hpp"
#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::Tile;

namespace {

// s_1 + 10 a_0 + 100 s'_0 + 1000 step + offset.
template <class F>
void weighted(const F* state, const F* action, const F* next_state, std::int64_t stride, std::int64_t lanes,
              std::int64_t step, void* offset, F* reward) {
  for (std::int64_t k = 0; k < lanes; ++k) {
    reward[k] += state[stride + k] + F(10) * action[k] + F(100) * next_state[k] + F(1000) * static_cast<F>(step);
    if (offset != nullptr) reward[k] += static_cast<F>(*static_cast<const double*>(offset));
  }
}

// Blocks that have gaps between their rows, and a total that something is in already.
template <class T, class F>
void check_sum(double* offset) {
  const Index lanes = 16;
  const Tile<T> state(2, 3 * lanes, 1);
  const Tile<T> action(1, lanes, 2);
  const Tile<T> next(2, 2 * lanes, 3);
  const CFunctionReward<T> reward(CFunction<RewardSignature>(&weighted<F>, offset, nullptr), 2, 1);
  const ConstBlock<T> narrow_state{state.view().data, 2, lanes, 3 * lanes};
  const ConstBlock<T> narrow_next{next.view().data, 2, lanes, 2 * lanes};
  Tile<T> total(1, lanes);
  for (Index k = 0; k < lanes; ++k) total(0, k) = T(7);
  Workspace workspace;
  workspace.reserve(reward.workspace_bytes(lanes));
  reward.add({narrow_state, action.view(), {}, narrow_next, {}, 4}, workspace, total.block().data);
  for (Index k = 0; k < lanes; ++k) {
    const double expected = 7.0 + static_cast<double>(state(1, k)) + 10.0 * static_cast<double>(action(0, k)) +
                            100.0 * static_cast<double>(next(0, k)) + 4000.0 + (offset != nullptr ? *offset : 0.0);
    const double tolerance = sizeof(T) == 4 || sizeof(F) == 4 ? 1e-6 : 1e-14;
    CHECK(static_cast<double>(total(0, k)) == doctest::Approx(expected).epsilon(tolerance));
  }
}

}  // namespace

TEST_CASE("a function of either precision serves rollouts of either, whatever lies between the rows") {
  double offset = 0.25;
  for (double* const given : {&offset, static_cast<double*>(nullptr)}) {
    check_sum<float, float>(given);
    check_sum<float, double>(given);
    check_sum<double, float>(given);
    check_sum<double, double>(given);
  }
}

TEST_CASE("a function must be one, and read what the model has") {
  CHECK_THROWS_AS(CFunction<RewardSignature>(static_cast<RewardSignature<float>*>(nullptr), nullptr, nullptr),
                  ValueError);
  const CFunction<RewardSignature> function(&weighted<float>, nullptr, nullptr);
  CHECK_THROWS_AS(CFunctionReward<float>(function, 0, 1), ShapeError);
  const CFunctionReward<float> reward(function, 2, 1);
  CHECK_THROWS_AS(reward.require_dims(3, 1), ShapeError);
  CHECK_THROWS_AS(reward.require_dims(2, 2), ShapeError);
  CHECK_NOTHROW(reward.require_dims(2, 1));
}

TEST_CASE("the owner lives as long as the last copy of the function") {
  auto owner = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = owner;
  {
    const CFunctionReward<float> reward(CFunction<RewardSignature>(&weighted<float>, nullptr, std::move(owner)), 2, 1);
    CHECK(!watched.expired());
  }
  CHECK(watched.expired());
}
