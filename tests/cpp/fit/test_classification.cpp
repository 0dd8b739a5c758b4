#include <doctest/doctest.h>

#include <cmath>

#include "dynaplan/core/error.hpp"
#include "dynaplan/core/random.hpp"
#include "dynaplan/fit/network_fit.hpp"

using namespace dynaplan;

namespace {

// Next states of one number, which end where it is above 1; no action, and nothing that changes.
struct Ends {
  explicit Ends(Index count) : states(static_cast<std::size_t>(count)), actions(states.size()), ends(states.size()) {
    Eigen::Array<double, Eigen::Dynamic, 1> drawn(kMaxLanes * (count / kMaxLanes + 1));
    fill_normal<double>({5, 1, 0}, Purpose::kActions, 0, 0, {drawn.data(), 1, drawn.size(), drawn.size()});
    for (std::size_t i = 0; i < states.size(); ++i) {
      states[i] = drawn[static_cast<Index>(i)];
      ends[i] = states[i] > 1.0 ? 1.0 : 0.0;
    }
  }
  NetworkData data() const {
    return {states.data(), actions.data(), states.data(), ends.data(), static_cast<Index>(states.size())};
  }

  std::vector<double> states, actions, ends;
};

NetworkShape shape_of(std::vector<Index> hidden) {
  NetworkShape shape;
  shape.state_dim = 1;
  shape.action_dim = 1;
  shape.hidden = std::move(hidden);
  shape.rewards = true;
  return shape;
}

NetworkFitSettings settings_of() {
  NetworkFitSettings settings;
  settings.epochs = 30;
  settings.learning_rate = 1e-2;
  settings.bootstrap = false;
  settings.classify = true;
  return settings;
}

bool are_equal(const NetworkMember<float>& one, const NetworkMember<float>& other) {
  for (std::size_t l = 0; l < one.layers.size(); ++l) {
    if (one.layers[l].weights != other.layers[l].weights || one.layers[l].bias != other.layers[l].bias) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("a classifier learns where the log-odds pass 0, and that nothing changes") {
  const Ends ends(256);
  const NetworkFit fit = fit_networks(shape_of({8}), 1, ends.data(), {}, settings_of());
  CHECK(fit.parameters.scaling.target_mean(1) == 0.0);
  CHECK(fit.parameters.scaling.target_scale(1) == 1.0);
  CHECK(fit.history[0].training.back() < 0.2 * fit.history[0].training.front());
  const NetworkLayer<float>& last = fit.parameters.members[0].layers.back();
  CHECK(last.weights.row(0).isZero(0.0F));
  CHECK(last.weights.row(1).norm() > 0.1F);
}

TEST_CASE("a member does not learn from the rows of its fold, whatever the threads") {
  Ends ends(120);
  NetworkFitSettings settings = settings_of();
  for (Index row = 0; row < 120; ++row) settings.folds.push_back(row % 3);
  const NetworkFit before = fit_networks(shape_of({4}), 4, ends.data(), {}, settings);
  for (std::size_t row = 1; row < 120; row += 3) ends.ends[row] = 1.0 - ends.ends[row];
  settings.threads = 3;
  const NetworkFit after = fit_networks(shape_of({4}), 4, ends.data(), {}, settings);
  for (std::size_t m = 0; m < 4; ++m) {
    CHECK(are_equal(before.parameters.members[m], after.parameters.members[m]) == (m == 1));
  }
}

TEST_CASE("what a classification cannot learn from is refused") {
  Ends ends(12);
  const NetworkShape shape = shape_of({4});
  NetworkFitSettings settings = settings_of();
  CHECK_THROWS_AS(fit_networks(shape, 1, ends.data(), ends.data(), settings), ValueError);
  const NetworkFit made = fit_networks(shape, 1, ends.data(), {}, settings);
  CHECK_THROWS_AS(fit_networks(shape, 1, ends.data(), {}, settings, &made.parameters), ValueError);
  NetworkShape other = shape;
  other.rewards = false;
  CHECK_THROWS_AS(fit_networks(other, 1, ends.data(), {}, settings), ValueError);
  other = shape;
  other.probabilistic = true;
  CHECK_THROWS_AS(fit_networks(other, 1, ends.data(), {}, settings), ValueError);
  settings.folds.assign(11, 0);
  CHECK_THROWS_AS(fit_networks(shape, 1, ends.data(), {}, settings), ShapeError);
  settings.folds.assign(12, 0);
  CHECK_THROWS_AS(fit_networks(shape, 1, ends.data(), {}, settings), ValueError);
  settings.folds.clear();
  ends.ends[3] = 0.5;
  CHECK_THROWS_AS(fit_networks(shape, 1, ends.data(), {}, settings), ValueError);
}
