#include "dynaplan/rollout/particles.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "dynaplan/core/error.hpp"
#include "dynaplan/rewards/predicted.hpp"
#include "dynaplan/rewards/quadratic.hpp"
#include "dynaplan/rewards/sum.hpp"
#include "dynaplan/rollout/rollout.hpp"
#include "dynaplan/terminations/box.hpp"
#include "members.hpp"

using namespace dynaplan;
using dynaplan_test::Members;
using dynaplan_test::NextState;

namespace {

template <class T>
struct Results {
  std::vector<T> totals;
  std::vector<T> trajectories;
  std::vector<T> steps_within_limit;

  Results(const RolloutProblem<T>& problem, std::vector<T> actions, Index count, Index horizon, bool keeps = true) {
    const Index rows = count * problem.particles.count;
    const std::vector<T> state{T(1)};
    totals.resize(static_cast<std::size_t>(count));
    trajectories.resize(static_cast<std::size_t>(rows * (horizon + 1)));
    steps_within_limit.resize(static_cast<std::size_t>(rows));
    RolloutBatch<T> batch;
    batch.count = count;
    batch.horizon = horizon;
    batch.states = state.data();
    batch.one_state = true;
    batch.actions = actions.data();
    batch.totals = totals.data();
    if (keeps) batch.trajectories = trajectories.data();
    if (problem.disagreement_limit) batch.steps_within_limit = steps_within_limit.data();
    rollout(problem, batch);
  }
};

template <class T>
struct Problem {
  Members<T> dynamics;
  NextState<T> reward;
  RolloutProblem<T> problem;

  explicit Problem(Propagation propagation = Propagation::kTsInf, Index particles = 6, Risk risk = {}) {
    problem.dynamics = &dynamics;
    problem.reward = &reward;
    problem.particles = {propagation, particles, risk};
  }
};

template <class T>
T reduced(const Risk& risk, std::vector<T> returns, Index members = 1) {
  return reduce(risk, members, returns.data(), static_cast<Index>(returns.size()));
}

}  // namespace

TEST_CASE_TEMPLATE("each particle keeps its member, and the return is the mean over them", T, float, double) {
  const Problem<T> problem;
  // After t steps of a = 1 member of gain g is at 1 + g t: in two steps its return is 2 + 3 g.
  for (const bool keeps : {true, false}) {
    const Results<T> results(problem.problem, std::vector<T>(100 * 2, T(1)), 100, 2, keeps);
    for (const T total : results.totals) REQUIRE(total == T(2 + 3 * 3));
    if (!keeps) continue;
    for (Index n = 0; n < 100; ++n) {
      for (Index p = 0; p < 6; ++p) {
        const T* const path = results.trajectories.data() + (n * 6 + p) * 3;
        const auto gain = static_cast<T>(Members<T>::kGains[p / 2]);
        REQUIRE(path[0] == T(1));
        REQUIRE(path[1] == T(1) + gain);
        REQUIRE(path[2] == T(1) + 2 * gain);
      }
    }
  }
}

TEST_CASE("the epistemic penalty takes off the deviation of the members' mean returns") {
  // Returns of the members: 5, 8, 20; mean 11, squares 36 + 9 + 81 over 3 = 42.
  const Problem<double> problem(Propagation::kTsInf, 6, {Reduction::kEpistemicPenalty, 2.0});
  const Results<double> results(problem.problem, {1.0, 1.0}, 1, 2, false);
  CHECK(results.totals[0] == doctest::Approx(11.0 - 2.0 * std::sqrt(42.0)));
  Problem<double> uneven(Propagation::kTsInf, 4, {Reduction::kEpistemicPenalty, 2.0});
  CHECK_THROWS_WITH_AS(uneven.problem.validate(),
                       "particles: got 4, must be a multiple of the model's 3 members for an epistemic penalty",
                       ValueError);
}

TEST_CASE("what the model predicts of the reward is paid, with trajectories and without, and beside other terms") {
  Problem<double> problem(Propagation::kTsInf, 3);
  const auto predicted = std::make_shared<PredictedReward<double>>();
  const SumReward<double> both({predicted, std::make_shared<NextState<double>>()});
  for (const bool keeps : {true, false}) {
    // 10 s + a at s = 1 and at s = 1 + g.
    problem.problem.reward = predicted.get();
    CHECK(Results<double>(problem.problem, {1.0, 1.0}, 1, 2, keeps).totals[0] == 11.0 + 11.0 + 10.0 * 3.0);
    problem.problem.reward = &both;
    CHECK(Results<double>(problem.problem, {1.0, 1.0}, 1, 2, keeps).totals[0] == 52.0 + 11.0);
  }
}

TEST_CASE("a candidate that exceeds the disagreement limit is rejected, or stops where it does") {
  Problem<double> problem(Propagation::kTsInf, 3);
  // The second candidate's last action of 1 is beyond the limit.
  const std::vector<double> actions{0.25, 0.25, 0.25, 0.25, 0.25, 1.0};
  problem.problem.disagreement_limit = DisagreementLimit{1.0, OnExceeding::kReject};
  const Results<double> rejected(problem.problem, actions, 2, 3);
  CHECK(rejected.totals[0] == doctest::Approx(3.0 + 6 * 0.25 * 3.0));
  CHECK(rejected.totals[1] == -std::numeric_limits<double>::infinity());
  CHECK(rejected.steps_within_limit == std::vector<double>{3, 3, 3, 2, 2, 2});
  problem.problem.disagreement_limit->on_exceeding = OnExceeding::kStop;
  const Results<double> stopped(problem.problem, actions, 2, 3);
  CHECK(stopped.totals[0] == rejected.totals[0]);
  CHECK(stopped.totals[1] == doctest::Approx(2.0 + 3 * 0.25 * 3.0));
  const double* const path = stopped.trajectories.data() + 5 * 4;  // of the last particle, whose gain is 6
  CHECK(std::vector<double>(path, path + 4) == std::vector<double>{1.0, 2.5, 4.0, 4.0});
  problem.problem.disagreement_limit = DisagreementLimit{std::nan(""), OnExceeding::kStop};
  CHECK_THROWS_AS(problem.problem.validate(), ValueError);
}

TEST_CASE("a trajectory that has ended cannot exceed the disagreement limit any more") {
  Problem<double> problem(Propagation::kMean, 1);
  const Outside<double> outside(Eigen::VectorXd::Constant(1, -1.0), Eigen::VectorXd::Constant(1, 1.5));
  problem.problem.termination = &outside;
  problem.problem.disagreement_limit = DisagreementLimit{1.0, OnExceeding::kReject};
  CHECK(Results<double>(problem.problem, {0.25, 9.0}, 1, 2).totals[0] == 1.75);
}

TEST_CASE("the particles of a step become draws from the Gaussian of their mean and variance") {
  constexpr Index kParticles = 3000;
  Problem<double> problem(Propagation::kMoment, kParticles);
  const Results<double> results(problem.problem, {1.0}, 1, 1);
  double sum = 0.0;
  double squares = 0.0;
  double cubes = 0.0;
  for (Index p = 0; p < kParticles; ++p) {
    const double end = results.trajectories[static_cast<std::size_t>(2 * p + 1)] - 4.0;
    sum += end / kParticles;
    squares += end * end / kParticles;
    cubes += end * end * end / kParticles;
  }
  // Ends 2, 3, 7: mean 4, variance 14 / 3, skew (-8 - 1 + 27) / 3 = 6, which the redraw forgets.
  CHECK(sum == doctest::Approx(0.0).scale(1.0).epsilon(0.15));
  CHECK(squares == doctest::Approx(14.0 / 3).epsilon(0.1));
  CHECK(std::abs(cubes) < 2.5);

  // A termination that never comes about changes no bit.
  const Outside<double> outside(Eigen::VectorXd::Constant(1, -100.0), Eigen::VectorXd::Constant(1, 100.0));
  problem.problem.termination = &outside;
  CHECK(Results<double>(problem.problem, {1.0}, 1, 1).trajectories == results.trajectories);
}

TEST_CASE("reductions of returns worked out by hand") {
  const std::vector<double> returns{3.0, -1.0, 4.0, 2.0};
  CHECK(reduced<double>({Reduction::kMean, 1.0}, returns) == 2.0);
  CHECK(reduced<double>({Reduction::kWorst, 1.0}, returns) == -1.0);
  CHECK(reduced<double>({Reduction::kCvar, 0.1}, returns) == -1.0);
  CHECK(reduced<double>({Reduction::kCvar, 0.5}, returns) == 0.5);
  CHECK(reduced<double>({Reduction::kCvar, 0.625}, returns) == (-1.0 + 2.0 + 0.5 * 3.0) / 2.5);
  CHECK(reduced<double>({Reduction::kCvar, 1.0}, returns) == 2.0);
  CHECK(reduced<double>({Reduction::kEpistemicPenalty, 1.0}, returns, 2) == 1.0);
}

TEST_CASE("returns that are not finite stay so in every reduction") {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const Reduction reduction :
       {Reduction::kMean, Reduction::kCvar, Reduction::kWorst, Reduction::kEpistemicPenalty}) {
    const Risk risk{reduction, 0.5};
    CHECK(std::isnan(reduced<double>(risk, {1.0, std::nan(""), -kInfinity, 2.0}, 2)));
    CHECK(reduced<double>(risk, {1.0, 5.0, -kInfinity, 2.0}, 2) == -kInfinity);
  }
}
