#include "dynaplan/agents/sac_update.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "dynaplan/agents/squashed_gaussian.hpp"
#include "tiles.hpp"

using namespace dynaplan;

namespace {

constexpr Index kStates = 3;
constexpr Index kActions = 2;
constexpr std::uint64_t kSeed = 7;

SacShape shape_of(std::vector<Index> hidden, Activation activation) {
  return {kStates, kActions, std::move(hidden), activation};
}

// A batch of random numbers; every fourth sample terminates.
template <class T>
struct Problem {
  Problem(const SacShape& shape, Index samples)
      : update(shape, {0.9, -1.5}, samples, 1), networks(shape, kSeed, 0.3), count(samples) {
    for (Index chunk = 0; chunk < update.chunks(); ++chunk) {
      const SacBatch<T> batch = update.batch(chunk);
      unsigned number = static_cast<unsigned>(chunk) * 10;
      for (const Block<T> part : {batch.states, batch.rewards, batch.next_states, batch.next_noise, batch.noise}) {
        fill(part, ++number, 1.0);
      }
      fill(batch.actions, ++number, 0.3);
      for (Index k = 0; k < batch.terminated.lanes; ++k) batch.terminated.row(0)[k] = k % 4 == 0 ? T(1) : T(0);
    }
    // The target networks differ from the critics, and the critics from each other, as they do in training.
    for (auto& critic : networks.critics) critic.target *= T(0.9);
  }

  static void fill(Block<T> part, unsigned seed, double scale) {
    const Eigen::MatrixXd numbers = scale * dynaplan_test::random_matrix(part.dim, part.lanes, seed);
    for (Index i = 0; i < part.dim; ++i) {
      for (Index k = 0; k < part.lanes; ++k) part.row(i)[k] = static_cast<T>(numbers(i, k));
    }
  }

  double critic_loss() {
    for (Index shard = 0; shard < update.shards(); ++shard) update.critic_pass(networks, shard, 0);
    return update.critic_loss();
  }
  double actor_loss() {
    for (Index shard = 0; shard < update.shards(); ++shard) update.actor_pass(networks, shard, 0);
    return update.actor_loss();
  }

  SacUpdate<T> update;
  SacNetworks<T> networks;
  Index count;
};

// Every gradient of a network against central differences of its loss; padding has none.
template <class Gradient>
void check_gradient(LearnedNetwork<double>& network, const std::function<double()>& loss, const Gradient& gradient) {
  loss();
  Numbers<double> found(network.layout.size());
  const Index range = SacUpdate<double>::kRange;
  for (Index start = 0; start < found.size(); start += range) {
    gradient(start, std::min(range, found.size() - start), found.data() + start);
  }
  std::vector<double> ones(without_padding(network.layout, network.parameters).size(), 1.0);
  const Numbers<double> real = with_padding(network.layout, ones);
  // The error of a central difference is h^2 / 6 of the third derivative, and rounding / h: 1e-10 and 1e-11 here.
  const double h = 1e-5;
  for (Index i = 0; i < found.size(); ++i) {
    if (real(i) == 0.0) {
      REQUIRE(found(i) == 0.0);
      continue;
    }
    const double value = network.parameters(i);
    network.parameters(i) = value + h;
    const double above = loss();
    network.parameters(i) = value - h;
    const double below = loss();
    network.parameters(i) = value;
    REQUIRE(found(i) == doctest::Approx((above - below) / (2.0 * h)).epsilon(1e-6).scale(1e-2));
  }
}

void check_update(const SacShape& shape, Index samples) {
  Problem<double> problem(shape, samples);
  for (int k = 0; k < 2; ++k) {
    check_gradient(
        problem.networks.critics[k], [&] { return problem.critic_loss(); },
        [&](Index start, Index count, double* out) { problem.update.critic_gradient({k, start, count}, out); });
  }
  check_gradient(
      problem.networks.actor, [&] { return problem.actor_loss(); },
      [&](Index start, Index count, double* out) { problem.update.actor_gradient({0, start, count}, out); });
}

}  // namespace

TEST_CASE("gradients of critics and actor agree with central differences") {
  check_update(shape_of({13, 6}, Activation::kTanh), 70);
  check_update(shape_of({13, 6}, Activation::kSiLU), 5);
  check_update(shape_of({30}, Activation::kSiLU), 64);
  check_update(shape_of({7, 5}, Activation::kReLU), 9);
  check_update(shape_of({}, Activation::kReLU), 1);
  check_update(shape_of({4}, Activation::kTanh), 64 * 19 + 5);  // shards of two and three chunks
}

TEST_CASE("the temperature's gradient is that of its loss") {
  Problem<double> problem(shape_of({8}, Activation::kTanh), 20);
  problem.actor_loss();
  const double mean = problem.update.mean_log_prob();
  const auto loss = [&](double logarithm) { return -logarithm * (mean - 1.5); };  // target entropy -1.5
  CHECK(problem.update.temperature_gradient() == doctest::Approx((loss(0.1) - loss(-0.1)) / 0.2));
}

TEST_CASE("a terminated sample's target is its reward, whatever follows; a truncated one's is not") {
  // One layer without a slope: a critic is its bias. Its error is then bias - target.
  Problem<double> problem(shape_of({}, Activation::kReLU), 1);
  for (auto& critic : problem.networks.critics) {
    critic.parameters.setZero();
    critic.target.setZero();
    critic.target(critic.layout.layers()[0].bias) = 100.0;
  }
  problem.networks.temperature.logarithm = -1000.0;
  const SacBatch<double> batch = problem.update.batch(0);
  batch.rewards.row(0)[0] = 3.0;
  batch.terminated.row(0)[0] = 1.0;
  CHECK(problem.critic_loss() == doctest::Approx(2 * 0.5 * 9.0));
  batch.terminated.row(0)[0] = 0.0;
  CHECK(problem.critic_loss() == doctest::Approx(2 * 0.5 * 93.0 * 93.0));  // 3 + 0.9 * 100
}

TEST_CASE("the sums do not depend on the lanes beyond the samples") {
  Problem<double> problem(shape_of({12}, Activation::kReLU), 67);
  const double before = problem.critic_loss() + problem.actor_loss();
  const SacBatch<double> last = problem.update.batch(1);
  for (Index k = 3; k < last.states.lanes; ++k) last.states.row(0)[k] = last.rewards.row(0)[k] = 1e3;
  CHECK(problem.critic_loss() + problem.actor_loss() == before);
}

TEST_CASE("a step moves parameters by Adam and the target network after them") {
  Problem<double> problem(shape_of({30}, Activation::kReLU), 70);
  problem.critic_loss();
  LearnedNetwork<double>& critic = problem.networks.critics[0];
  const LearnedNetwork<double> before = critic;
  const AdamStep<double> adam(1e-2, 1);
  Numbers<double> scratch(SacUpdate<double>::kRange);
  for (const auto& range : problem.update.critic_ranges()) {
    problem.update.step_critic(range, adam, 0.25, scratch.data(), problem.networks);
  }
  // The first step of Adam is the learning rate, by the sign of the gradient.
  const Numbers<double> moved = (critic.parameters - before.parameters).abs();
  CHECK(moved.maxCoeff() == doctest::Approx(1e-2).epsilon(1e-4));
  CHECK((moved > 0.99e-2).count() > 100);
  CHECK((critic.target - (0.75 * before.target + 0.25 * critic.parameters)).abs().maxCoeff() < 1e-15);
}
