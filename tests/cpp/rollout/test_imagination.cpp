#include "dynaplan/rollout/imagination.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "dynaplan/core/error.hpp"
#include "dynaplan/models/network_dynamics.hpp"
#include "dynaplan/rewards/predicted.hpp"
#include "dynaplan/terminations/box.hpp"
#include "members.hpp"
#include "models/networks.hpp"
#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::Members;
using dynaplan_test::random_networks;
using dynaplan_test::Tile;

namespace {

constexpr std::uint64_t kSeed = 7;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Transition {
  double state;
  double action;
  double reward;
  double next_state;
  bool terminated;

  bool operator==(const Transition& other) const {
    return state == other.state && action == other.action && reward == other.reward && next_state == other.next_state &&
           terminated == other.terminated;
  }
};

struct Path {
  std::vector<Transition> transitions;
  bool cut = false;

  bool operator==(const Path& other) const { return transitions == other.transitions && cut == other.cut; }
};

// A draw of the stream for one candidate.
float drawn(const Stream& stream, Index candidate, bool uniform) {
  Tile<float> tile(1, kVectorLanes<float>);
  if (uniform) fill_uniform(stream, Purpose::kActions, candidate, normal_rows(1), tile.block());
  if (!uniform) fill_normal(stream, Purpose::kActions, candidate, 0, tile.block());
  return tile(0, 0);
}

float quarters(float normal) { return std::round(4.0F * normal) / 4.0F; }

// Whole quarters, so that all that follows from them is exact in float32.
class Quarters final : public Policy {
 public:
  Index state_dim() const override { return 1; }
  Index action_dim() const override { return 1; }
  std::size_t workspace_bytes(Index) const override { return 0; }
  void act(ConstBlock<float>, const Stream& stream, Index first_candidate, Workspace&,
           Block<float> action) const override {
    fill_normal(stream, Purpose::kActions, first_candidate, 0, action);
    for (Index k = 0; k < action.lanes; ++k) action.row(0)[k] = quarters(action.row(0)[k]);
  }
};

// Three members, the reward that they predict, and actions in quarters.
struct Problem : ImaginationProblem {
  Members<float> three;
  Quarters drawing;
  PredictedReward<float> predicted;

  Problem() {
    dynamics = &three;
    elite_members = {0, 1, 2};
    policy = &drawing;
    reward = &predicted;
  }
  Problem(const Problem&) = delete;
};

std::vector<Path> imagined(const ImaginationProblem& problem, const std::vector<double>& starts, Index length,
                           int threads = 1, const std::vector<double>& given_actions = {},
                           const std::vector<double>& previous_actions = {}) {
  const std::size_t max_rows = starts.size() * static_cast<std::size_t>(length);
  std::vector<double> states(max_rows), actions(max_rows), rewards(max_rows), next_states(max_rows);
  std::vector<std::int64_t> steps(starts.size());
  const auto terminated = std::make_unique<bool[]>(max_rows);
  const auto cut = std::make_unique<bool[]>(starts.size());
  ImaginedRows rows;
  rows.starts = starts.data();
  if (!given_actions.empty()) rows.given_actions = given_actions.data();
  if (!previous_actions.empty()) rows.previous_actions = previous_actions.data();
  rows.count = static_cast<Index>(starts.size());
  rows.length = length;
  rows.states = states.data();
  rows.actions = actions.data();
  rows.rewards = rewards.data();
  rows.next_states = next_states.data();
  rows.terminated = terminated.get();
  rows.steps = steps.data();
  rows.cut = cut.get();
  rows.seed = kSeed;
  rows.threads = threads;
  imagine(problem, rows);
  std::vector<Path> paths(starts.size());
  for (std::size_t n = 0; n < starts.size(); ++n) {
    paths[n].cut = cut[n];
    for (std::size_t t = 0; t < static_cast<std::size_t>(steps[n]); ++t) {
      const std::size_t row = n * static_cast<std::size_t>(length) + t;
      paths[n].transitions.push_back({states[row], actions[row], rewards[row], next_states[row], terminated[row]});
    }
  }
  return paths;
}

// A step of one rollout by a member: the next state and the reward.
using OneStep = std::function<std::pair<float, float>(const Draw& draw, float state, float action)>;

std::pair<float, float> step_by_hand(const Draw& draw, float state, float action) {
  const auto gain = static_cast<float>(Members<float>::kGains[draw.particle]);
  return {state + gain * action, 10.0F * state + action};
}

// What `imagine` must make of quarters: one rollout after the other, each number drawn by itself. A rollout is cut
// before an action of `unknown` or more, and ends beyond `bound`.
std::vector<Path> by_hand(const OneStep& one_step, const std::vector<Index>& elite_members,
                          const std::vector<double>& starts, Index length, double unknown = kInfinity,
                          double bound = kInfinity) {
  std::vector<Path> paths(starts.size());
  std::vector<double> states = starts;
  std::vector<std::size_t> going(starts.size());
  std::iota(going.begin(), going.end(), std::size_t{0});
  for (Index t = 0; t < length; ++t) {
    const Stream stream{kSeed, 0, static_cast<std::uint32_t>(t)};
    // Those that go on, by their elite.
    std::vector<std::pair<std::size_t, std::size_t>> order;
    for (std::size_t i = 0; i < going.size(); ++i) {
      const float uniform = drawn(stream, static_cast<Index>(i), true);
      order.emplace_back(static_cast<std::size_t>(uniform * static_cast<float>(elite_members.size())), going[i]);
    }
    std::sort(order.begin(), order.end());
    going.clear();
    for (std::size_t place = 0; place < order.size(); ++place) {
      const auto [elite, n] = order[place];
      const float action = quarters(drawn(stream, static_cast<Index>(place), false));
      paths[n].cut = std::abs(action) >= unknown;
      if (paths[n].cut) continue;
      const Draw draw{stream, static_cast<Index>(place), 0, Propagation::kTsInf, elite_members[elite], 3, 1};
      const auto [next, reward] = one_step(draw, static_cast<float>(states[n]), action);
      const bool ends = std::abs(next) > bound;
      paths[n].transitions.push_back({states[n], action, reward, next, ends});
      states[n] = next;
      if (!ends) going.push_back(n);
    }
    std::sort(going.begin(), going.end());
  }
  return paths;
}

std::vector<double> some_starts(Index count) {
  std::vector<double> starts(static_cast<std::size_t>(count));
  for (std::size_t n = 0; n < starts.size(); ++n) starts[n] = static_cast<double>(n % 9) / 2.0 - 2.0;
  return starts;
}

}  // namespace

TEST_CASE("any number of rollouts of any length is what they are one by one, on any number of threads") {
  Problem problem;
  const Outside<float> outside(Eigen::VectorXd::Constant(1, -6.0), Eigen::VectorXd::Constant(1, 6.0));
  problem.termination = &outside;
  problem.disagreement_limit = 4.0;  // between those of actions of 1.75 and of 2
  // Five vectors leave one for the last block.
  for (const Index around : {Index{1}, kVectorLanes<float>, 4 * kVectorLanes<float>, 5 * kVectorLanes<float>, kMaxLanes,
                             4 * kMaxLanes, 12 * kMaxLanes}) {
    for (const Index count : {around - 1, around, around + 1}) {
      for (const Index length : {1, 2, 5}) {
        CAPTURE(count);
        CAPTURE(length);
        const std::vector<double> starts = some_starts(count);
        for (const std::vector<Index>& elite_members : {std::vector<Index>{0, 1, 2}, std::vector<Index>{1}}) {
          problem.elite_members = elite_members;
          const std::vector<Path> expected = by_hand(step_by_hand, elite_members, starts, length, 2.0, 6.0);
          for (const int threads : {1, 2, 3}) REQUIRE(imagined(problem, starts, length, threads) == expected);
        }
      }
    }
  }
}

TEST_CASE("among some hundreds of rollouts every outcome occurs") {
  const auto all = by_hand(step_by_hand, {0, 1, 2}, some_starts(12 * kMaxLanes), 5, 2.0, 6.0);
  const auto any = [&](auto is) { return std::any_of(all.begin(), all.end(), is); };
  const auto size = [](const Path& path) { return path.transitions.size(); };
  CHECK(any([&](const Path& path) { return path.cut && size(path) == 0; }));
  CHECK(any([&](const Path& path) { return path.cut && size(path) == 3; }));
  CHECK(any([&](const Path& path) { return !path.cut && size(path) == 2 && path.transitions.back().terminated; }));
  CHECK(any([&](const Path& path) { return !path.cut && size(path) == 5 && !path.transitions.back().terminated; }));
}

TEST_CASE("only the elites predict, each as often as the others, drawn anew for every step") {
  Problem problem;
  problem.elite_members = {0, 2};
  const std::vector<double> starts(4000, 0.0);
  const std::vector<Path> paths = imagined(problem, starts, 2);
  REQUIRE(paths == by_hand(step_by_hand, problem.elite_members, starts, 2));
  int seen = 0, last = 0, changed = 0;
  for (const Path& path : paths) {
    std::vector<double> gains;
    for (const Transition& step : path.transitions) {
      if (step.action != 0.0) gains.push_back((step.next_state - step.state) / step.action);
    }
    for (const double gain : gains) {
      REQUIRE((gain == 1.0 || gain == 6.0));
      last += gain == 6.0 ? 1 : 0;
    }
    seen += static_cast<int>(gains.size());
    if (gains.size() == 2 && gains[0] != gains[1]) ++changed;
  }
  CHECK(last / static_cast<double>(seen) == doctest::Approx(0.5).epsilon(0.06));
  CHECK(changed / 4000.0 == doctest::Approx(0.5 * 0.9 * 0.9).epsilon(0.1));  // a tenth of the actions are 0
}

TEST_CASE("networks: each rollout gets its own member and its own noise") {
  NetworkShape shape;
  shape.state_dim = shape.action_dim = 1;
  shape.hidden = {8, 8};
  shape.probabilistic = shape.rewards = true;
  const NetworkDynamics<float> dynamics(random_networks(shape, 3));
  Problem problem;
  problem.dynamics = &dynamics;
  const OneStep alone = [&](const Draw& draw, float state, float action) {
    Tile<float> from(1, kVectorLanes<float>), with(1, kVectorLanes<float>), next(2, kVectorLanes<float>);
    from(0, 0) = state;
    with(0, 0) = action;
    Workspace workspace;
    workspace.reserve(dynamics.workspace_bytes(kVectorLanes<float>));
    dynamics.step(from.view(), with.view(), draw, workspace, next.block());
    return std::pair{next(0, 0), next(1, 0)};
  };
  for (const Index count : {1, 9, 65, 300}) {
    const std::vector<double> starts = some_starts(count);
    const std::vector<Path> paths = imagined(problem, starts, 3);
    const std::vector<Path> expected = by_hand(alone, problem.elite_members, starts, 3);
    for (const int threads : {2, 3}) REQUIRE(imagined(problem, starts, 3, threads) == paths);
    for (std::size_t n = 0; n < paths.size(); ++n) {
      REQUIRE(paths[n].transitions.size() == 3);
      for (std::size_t t = 0; t < 3; ++t) {
        const Transition &made = paths[n].transitions[t], &wanted = expected[n].transitions[t];
        REQUIRE(made.action == wanted.action);
        REQUIRE(made.next_state == doctest::Approx(wanted.next_state).epsilon(1e-4));
        REQUIRE(made.reward == doctest::Approx(wanted.reward).epsilon(1e-4));
      }
    }
  }
}

TEST_CASE("a rollout ends with the step that is terminated, and is cut before one that is not to be trusted") {
  Problem problem;
  problem.policy = nullptr;
  problem.elite_members = {1};  // s' = s + 2 a
  problem.disagreement_limit = 4.0;
  const Outside<float> outside(Eigen::VectorXd::Constant(1, -5.0), Eigen::VectorXd::Constant(1, 5.0));
  problem.termination = &outside;
  const std::vector<Path> paths = imagined(problem, {0.0, 0.0, 0.0, 0.1}, 3, 1,
                                           {1.5, 1.5, 1.5,    // 3, 6: outside
                                            0.5, 0.5, 3.0,    // disagreed on
                                            3.0, 0.0, 0.0,    //
                                            1.0, 0.0, 0.1});  // kept as it is given, not as float32
  CHECK(paths[0] == Path{{{0.0, 1.5, 1.5, 3.0, false}, {3.0, 1.5, 31.5, 6.0, true}}, false});
  CHECK(paths[1] == Path{{{0.0, 0.5, 0.5, 1.0, false}, {1.0, 0.5, 10.5, 2.0, false}}, true});
  CHECK(paths[2] == Path{{}, true});
  REQUIRE(paths[3].transitions.size() == 3);
  CHECK(paths[3].transitions[0].state == 0.1);
  CHECK(paths[3].transitions[2].action == 0.1);
  CHECK(paths[3].transitions[1].state == static_cast<double>(0.1F + 2.0F));
}

TEST_CASE("a step whose state or reward is not finite is not taken, and predicted states are clipped") {
  Problem problem;
  problem.policy = nullptr;
  problem.elite_members = {0};
  const auto none = Path{{}, true};
  CHECK(imagined(problem, {1e38}, 1, 1, {0.0})[0] == none);  // 10 s
  problem.reward = nullptr;
  CHECK(imagined(problem, {1e38}, 1, 1, {0.0})[0].transitions.size() == 1);
  CHECK(imagined(problem, {3e38}, 1, 1, {3e38})[0] == none);
  const StateLimits<float> limits{{-4.0F}, {4.0F}};
  problem.limits = &limits;
  const Path clipped = imagined(problem, {3.0}, 2, 1, {2.0, -1.0})[0];
  CHECK(clipped == Path{{{3.0, 2.0, 0.0, 4.0, false}, {4.0, -1.0, 0.0, 3.0, false}}, false});
}

namespace {

// Pays the action before.
class PreviousAction final : public Reward<float> {
 public:
  std::size_t workspace_bytes(Index) const override { return 0; }
  void add(const StepView<float>& view, Workspace&, float* total) const override {
    for (Index k = 0; k < view.next.lanes; ++k) total[k] += view.previous_action.row(0)[k];
  }
  void require_dims(Index, Index) const override {}
};

// Goes away from 0 by steps of 1, ends beyond 3, and notes what it is asked.
struct AwayFromZero final : BatchPolicy, BatchTermination {
  mutable std::vector<Index> asked;
  void act(const double* states, Index count, double* actions) const override {
    asked.push_back(count);
    for (Index i = 0; i < count; ++i) actions[i] = states[i] < 0.0 ? -1.0 : 1.0;
  }
  void end(const double* states, const double* actions, const double* next_states, Index count,
           bool* ended) const override {
    for (Index i = 0; i < count; ++i) {
      REQUIRE(next_states[i] == states[i] + actions[i]);
      ended[i] = std::abs(next_states[i]) > 3.0;
    }
  }
};

}  // namespace

TEST_CASE("the action before is the one of the step before, at first the one given, or else the first itself") {
  Problem problem;
  const PreviousAction previous;
  problem.reward = &previous;
  problem.policy = nullptr;
  const auto paid = [&](const std::vector<double>& before) {
    std::vector<double> rewards;
    for (const Path& path : imagined(problem, {0.0, 0.0}, 2, 1, {1.0, 2.0, 3.0, 4.0}, before)) {
      for (const Transition& step : path.transitions) rewards.push_back(step.reward);
    }
    return rewards;
  };
  CHECK(paid({}) == std::vector<double>{1.0, 1.0, 3.0, 3.0});
  CHECK(paid({8.0, 9.0}) == std::vector<double>{8.0, 1.0, 9.0, 3.0});
}

TEST_CASE("functions of whole batches are asked once a step, for the rollouts that go on") {
  Problem problem;
  const AwayFromZero away;
  problem.policy = nullptr;
  problem.batch_policy = &away;
  problem.batch_termination = &away;
  problem.elite_members = {0};
  const std::vector<Path> paths = imagined(problem, {-3.0, 0.0, 2.0}, 4);
  CHECK(away.asked == std::vector<Index>{3, 2, 1, 1});
  CHECK(paths[0] == Path{{{-3.0, -1.0, -31.0, -4.0, true}}, false});
  CHECK(paths[1].transitions.size() == 4);
  CHECK(paths[1].transitions[3] == Transition{3.0, 1.0, 31.0, 4.0, true});
  CHECK(paths[2].transitions.size() == 2);
}

TEST_CASE("parts that do not fit, and numbers that are not finite, are refused by name") {
  Problem problem;
  CHECK(imagined(problem, {}, 1).empty());
  CHECK_THROWS_WITH_AS(imagined(problem, {0.0}, 0), "length: got 0, must be at least 1", ValueError);
  CHECK_THROWS_WITH_AS(imagined(problem, {0.0, 1e39}, 1), "starts: row 1 is 1e+39, must be a finite float32",
                       ValueError);
  problem.elite_members = {0, 3};
  CHECK_THROWS_WITH_AS(problem.validate(), doctest::Contains("elite_members: got member 3"), ValueError);
  problem.elite_members.clear();
  CHECK_THROWS_WITH_AS(problem.validate(), "elite_members: got none, must be at least one member", ValueError);
  problem.elite_members = {0};
  problem.policy = nullptr;
  CHECK_THROWS_WITH_AS(imagined(problem, {0.0}, 1), "policy: got none, must be a policy, or give the actions",
                       ValueError);
}
