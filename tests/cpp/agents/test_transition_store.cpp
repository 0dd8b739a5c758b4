#include "dynaplan/agents/transition_store.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "dynaplan/agents/replay_draw.hpp"
#include "dynaplan/core/error.hpp"

using namespace dynaplan;

namespace {

ActionBox box_of(double low, double high) {
  return {Eigen::VectorXd::Constant(1, low), Eigen::VectorXd::Constant(1, high)};
}

// Transitions of one state and one action, numbered by their rewards.
struct Rows {
  Rows(int first, int count) {
    for (int i = 0; i < count; ++i) {
      const auto number = static_cast<double>(first + i);
      states.push_back(number + 0.25);
      actions.push_back(2.0);
      rewards.push_back(number);
      next_states.push_back(number + 0.5);
    }
  }
  TransitionRows view() const {
    return {states.data(),      actions.data(), rewards.data(),
            next_states.data(), terminated,     static_cast<Index>(states.size())};
  }
  std::vector<double> states, actions, rewards, next_states;
  bool terminated[64] = {true};  // the first one
};

std::vector<int> numbers_in(const TransitionStore& store) {
  std::vector<int> found;
  for (Index i = 0; i < store.size(); ++i) found.push_back(static_cast<int>(store.row(i)[store.reward_at()]));
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

TEST_CASE("a row holds what was given, the action scaled to [-1, 1]") {
  TransitionStore store("buffer_size", 1, 1, 4);
  store.append(Rows(7, 2).view(), box_of(1.0, 5.0));
  const float* const row = store.row(0);
  CHECK(row[0] == 7.25F);
  CHECK(row[store.action_at()] == -0.5F);  // 2 in [1, 5]
  CHECK(row[store.reward_at()] == 7.0F);
  CHECK(row[store.terminated_at()] == 1.0F);
  CHECK(store.row(1)[store.terminated_at()] == 0.0F);
  CHECK(row[store.next_state_at()] == 7.5F);
}

TEST_CASE("the newest transitions stay") {
  TransitionStore store("buffer_size", 1, 1, 4);
  const ActionBox box = box_of(-2.0, 2.0);
  store.append(Rows(0, 3).view(), box);
  store.append(Rows(3, 3).view(), box);
  CHECK(numbers_in(store) == std::vector<int>{2, 3, 4, 5});
  store.append(Rows(6, 9).view(), box);  // more than fit
  CHECK(numbers_in(store) == std::vector<int>{11, 12, 13, 14});
  store.resize(3);
  CHECK(numbers_in(store) == std::vector<int>{12, 13, 14});
  store.append(Rows(15, 1).view(), box);
  CHECK(numbers_in(store) == std::vector<int>{13, 14, 15});
  store.resize(5);
  store.append(Rows(16, 2).view(), box);
  CHECK(numbers_in(store) == std::vector<int>{13, 14, 15, 16, 17});
  store.append(Rows(18, 1).view(), box);
  CHECK(numbers_in(store) == std::vector<int>{14, 15, 16, 17, 18});
  store.clear();
  CHECK(store.size() == 0);
}

TEST_CASE("what is restored is what was copied, and continues alike") {
  TransitionStore store("buffer_size", 1, 1, 4);
  const ActionBox box = box_of(-2.0, 2.0);
  store.append(Rows(0, 6).view(), box);
  std::vector<float> rows(static_cast<std::size_t>(store.size() * store.width()));
  store.copy_to(rows.data());
  TransitionStore other("buffer_size", 1, 1, 4);
  other.restore(rows.data(), store.size(), store.next());
  store.append(Rows(6, 1).view(), box);
  other.append(Rows(6, 1).view(), box);
  for (Index i = 0; i < 4; ++i) CHECK(std::equal(store.row(i), store.row(i) + store.width(), other.row(i)));
  CHECK_THROWS_AS(other.restore(rows.data(), 5, 0), ValueError);
  CHECK_THROWS_AS(other.restore(rows.data(), 2, 1), ValueError);
  CHECK_THROWS_AS(other.restore(rows.data(), 4, 4), ValueError);
}

TEST_CASE("numbers that float32 does not hold and actions outside the box are refused") {
  const ActionBox box = box_of(-2.0, 2.0);
  Rows rows(0, 3);
  rows.rewards[1] = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(rows.view().validate(1, box), "rewards: row 1 is nan, must be a finite float32", ValueError);
  rows = Rows(0, 3);
  rows.next_states[2] = 1e39;
  CHECK_THROWS_AS(rows.view().validate(1, box), ValueError);
  rows = Rows(0, 3);
  rows.actions[0] = 2.1;
  CHECK_THROWS_AS(rows.view().validate(1, box), ValueError);
  CHECK_THROWS_AS(TransitionStore("buffer_size", 1, 1, 0), ValueError);
  CHECK_THROWS_AS(box_of(1.0, 1.0).validate(), ValueError);
  CHECK_THROWS_AS(box_of(0.0, std::numeric_limits<double>::infinity()).validate(), ValueError);
}

TEST_CASE("a batch mixes real and imagined transitions by the ratio, uniformly") {
  TransitionStore real("buffer_size", 1, 1, 40);
  TransitionStore imagined("imagined_buffer_size", 1, 1, 40);
  CHECK_THROWS_AS(ReplayDraw(real, imagined, 0.25, 100, 1, 0), ValueError);
  const ActionBox box = box_of(-2.0, 2.0);
  real.append(Rows(0, 10).view(), box);
  CHECK(ReplayDraw(real, imagined, 0.25, 100, 1, 0).real_samples() == 100);
  imagined.append(Rows(10, 40).view(), box);
  int counts[50] = {};
  const int updates = 2000;
  for (int update = 0; update < updates; ++update) {
    const ReplayDraw draw(real, imagined, 0.25, 100, 1, static_cast<std::uint64_t>(update));
    REQUIRE(draw.real_samples() == 25);
    for (Index sample = 0; sample < 100; ++sample) ++counts[static_cast<int>(draw.row(sample)[real.reward_at()])];
  }
  // 5,000 expected of each real one, 3,750 of each imagined one; five standard deviations are at most 354.
  for (int i = 0; i < 50; ++i) CHECK(std::abs(counts[i] - (i < 10 ? 5000 : 3750)) < 354);
  real.clear();
  CHECK(ReplayDraw(real, imagined, 0.25, 100, 1, 0).real_samples() == 0);
}
