#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "dynaplan/core/error.hpp"
#include "dynaplan/terminations/learned.hpp"
#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::Tile;

namespace {

// No hidden layer: the log-odds are 2 (x - 3) / 0.5 + 4 cos(angle) - 1, with x the first state and the angle, in turns,
// the second; the change of the states, which must not matter, is 9.
NetworkParameters linear_network() {
  NetworkParameters network;
  network.shape.state_dim = 2;
  network.shape.action_dim = 1;
  network.shape.angles = {1};
  network.shape.periods = {1.0};
  network.shape.rewards = true;
  network.scaling = {Eigen::Vector4d(3.0, 0.0, 0.0, 0.0), Eigen::Vector4d(0.5, 1.0, 1.0, 1.0), Eigen::Vector3d::Zero(),
                     Eigen::Vector3d::Ones()};
  Eigen::MatrixXf weights = Eigen::MatrixXf::Zero(3, 4);
  weights.row(2) << 2.0F, 0.0F, 4.0F, 0.0F;
  network.members.push_back({{{weights, Eigen::Vector3f(9.0F, 9.0F, -1.0F)}}, {}, {}});
  return network;
}

// Odd in its inputs, so that half of them end.
NetworkParameters random_network(std::vector<Index> hidden) {
  NetworkParameters network = linear_network();
  network.shape.hidden = std::move(hidden);
  network.shape.activation = Activation::kTanh;
  network.members.front().layers.clear();
  for (Index l = 0; l < network.shape.layers(); ++l) {
    const Index outputs = network.shape.layer_outputs(l);
    const auto seed = static_cast<unsigned>(7 + l);
    network.members.front().layers.push_back(
        {dynaplan_test::random_matrix(outputs, network.shape.layer_inputs(l), seed).cast<float>(),
         Eigen::VectorXf::Zero(outputs)});
  }
  return network;
}

template <class T>
std::vector<T> alive_after(const Termination<T>& termination, const Tile<T>& next) {
  const Index lanes = next.view().lanes;
  std::vector<T> alive(static_cast<std::size_t>(lanes), T(1));
  Workspace workspace;
  workspace.reserve(termination.workspace_bytes(lanes));
  termination.mark({next.view(), {}, {}, next.view(), {}}, workspace, alive.data());
  return alive;
}

}  // namespace

TEST_CASE_TEMPLATE("a lane ends where its log-odds exceed those of the threshold, or its state is nan", T, float,
                   double) {
  Tile<T> next(2, 16);
  const auto set = [&](Index lane, double x, double turns) {
    next(0, lane) = static_cast<T>(x);
    next(1, lane) = static_cast<T>(turns);
  };
  set(0, 3.0, 0.0);    // 3
  set(1, 3.0, 0.25);   // -1
  set(2, 2.3, 5.0);    // 0.2: full turns do not matter
  set(3, 2.2, 0.0);    // -0.2
  set(4, 3.49, 0.25);  // 0.96
  set(5, std::numeric_limits<double>::quiet_NaN(), 0.0);
  set(6, 0.0, std::numeric_limits<double>::quiet_NaN());
  set(7, 9.0, 0.0);
  const std::vector<T> even = alive_after<T>(LearnedTermination<T>(linear_network(), 0.5), next);
  const std::vector<T> expected{0, 1, 0, 1, 0, 0, 0, 0};
  for (std::size_t k = 0; k < expected.size(); ++k) CHECK(even[k] == expected[k]);
  // A probability of 3 in 4 has the log-odds ln 3 = 1.1.
  const std::vector<T> sure = alive_after<T>(LearnedTermination<T>(linear_network(), 0.75), next);
  const std::vector<T> expected_of_sure{0, 1, 1, 1, 1, 0, 0, 0};
  for (std::size_t k = 0; k < expected_of_sure.size(); ++k) CHECK(sure[k] == expected_of_sure[k]);
}

TEST_CASE_TEMPLATE("of several networks the mean of the log-odds counts", T, float, double) {
  NetworkParameters networks = linear_network();
  for (const float shift : {-1.0F, 4.0F}) {
    networks.members.push_back(networks.members.front());
    networks.members.back().layers.front().bias(2) = shift - 1.0F;
  }
  // 4 (x - 3) + 4 cos(angle) - 1 + (0 - 1 + 4) / 3, and above ln 3 at a probability of 3 in 4.
  Tile<T> next(2, 16);
  const double positions[] = {1.9, 2.1, 2.2, 2.3};
  for (Index k = 0; k < 4; ++k) next(0, k) = static_cast<T>(positions[k]);
  const std::vector<T> even = alive_after<T>(LearnedTermination<T>(networks, 0.5), next);
  const std::vector<T> sure = alive_after<T>(LearnedTermination<T>(networks, 0.75), next);
  const std::vector<T> expected{1, 0, 0, 0};
  const std::vector<T> expected_of_sure{1, 1, 1, 0};
  for (std::size_t k = 0; k < expected.size(); ++k) {
    CHECK(even[k] == expected[k]);
    CHECK(sure[k] == expected_of_sure[k]);
  }
}

TEST_CASE("an ended lane does not come back") {
  const LearnedTermination<float> termination(linear_network(), 0.5);
  const Tile<float> next(2, 16);  // all 0: the log-odds are -9
  std::vector<float> alive(16, 1.0F);
  alive[3] = 0.0F;
  Workspace workspace;
  workspace.reserve(termination.workspace_bytes(16));
  termination.mark({next.view(), {}, {}, next.view(), {}}, workspace, alive.data());
  for (std::size_t k = 0; k < 16; ++k) CHECK(alive[k] == (k == 3 ? 0.0F : 1.0F));
}

TEST_CASE("a block ends as its lanes do one by one, in float as in double") {
  const NetworkParameters network = random_network({7, 5});
  const LearnedTermination<double> exact(network, 0.4);
  const LearnedTermination<float> rounded(network, 0.4);
  const Index lanes = 64;
  Tile<double> next(2, lanes, 3);
  for (Index k = 0; k < lanes; ++k) next(0, k) = 3.0 + 0.5 * next(0, k);
  Tile<float> narrow(2, lanes);
  const std::vector<double> together = alive_after<double>(exact, next);
  Index ended = 0;
  for (Index k = 0; k < lanes; ++k) {
    Tile<double> alone(2, 8);
    for (Index i = 0; i < 2; ++i) {
      alone(i, 0) = next(i, k);
      narrow(i, k) = static_cast<float>(next(i, k));
    }
    CHECK(alive_after<double>(exact, alone)[0] == together[static_cast<std::size_t>(k)]);
    ended += together[static_cast<std::size_t>(k)] == 0.0 ? 1 : 0;
  }
  CHECK(ended > 5);
  CHECK(ended < lanes - 5);
  const std::vector<float> in_float = alive_after<float>(rounded, narrow);
  for (std::size_t k = 0; k < in_float.size(); ++k) CHECK(static_cast<double>(in_float[k]) == together[k]);
}

TEST_CASE("a learned termination may jump with each state, and only there") {
  Jumps jumps;
  LearnedTermination<double>(linear_network(), 0.5).add_jumps(jumps);
  CHECK_FALSE(jumps.anywhere);
  REQUIRE(jumps.places.size() == 2);
  CHECK(jumps.places[1].entry == 1);
  CHECK(jumps.places[1].moves);
}

TEST_CASE("a learned termination takes networks of log-odds, a probability, and the model's states") {
  const NetworkParameters network = linear_network();
  CHECK_THROWS_AS(LearnedTermination<float>(network, 0.5).require_dims(3, 1), ShapeError);
  CHECK_NOTHROW(LearnedTermination<float>(network, 0.5).require_dims(2, 4));
  for (const double threshold : {0.0, 1.0, -1.0, std::nan("")}) {
    CHECK_THROWS_AS(LearnedTermination<float>(network, threshold), ValueError);
  }
  NetworkParameters other = network;
  other.shape.rewards = false;
  CHECK_THROWS_AS(LearnedTermination<float>(other, 0.5), Error);
}
