#include "dynaplan/fit/network_pass.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "dynaplan/core/random.hpp"
#include "dynaplan/fit/initial_network.hpp"

using namespace dynaplan;

namespace {

NetworkShape shape_of(std::vector<Index> hidden, Activation activation, bool probabilistic) {
  NetworkShape shape;
  shape.state_dim = 3;
  shape.action_dim = 2;
  shape.angles = {1};
  shape.hidden = std::move(hidden);
  shape.activation = activation;
  shape.probabilistic = probabilistic;
  shape.rewards = true;
  return shape;
}

std::vector<double> normals(Index count, std::uint32_t call) {
  Eigen::Array<double, Eigen::Dynamic, 1> numbers(4 * kMaxLanes * (count / kMaxLanes + 1));
  const Index lanes = numbers.size() / 4;
  fill_normal<double>({5, call, 0}, Purpose::kActions, 0, 0, {numbers.data(), 4, lanes, lanes});
  return {numbers.data(), numbers.data() + count};
}

struct Problem {
  explicit Problem(const NetworkShape& given, Index count)
      : shape(given),
        states(normals(count * 3, 1)),
        actions(normals(count * 2, 2)),
        next_states(normals(count * 3, 3)),
        rewards(normals(count, 4)),
        data{states.data(), actions.data(), next_states.data(), rewards.data(), count},
        rows(shape, units_of(shape, data, {}).scaling, data),
        order(static_cast<std::size_t>(count)) {
    std::iota(order.begin(), order.end(), Index{0});
  }

  Numbers<double> parameters(const ParameterLayout<double>& layout, double bound_gap = 2.2) const {
    const NetworkMember<float> drawn = initial_member(shape, 11, 0);
    NetworkMember<double> member;
    for (const auto& layer : drawn.layers) {
      member.layers.push_back({layer.weights.cast<double>(), layer.bias.cast<double>()});
    }
    // Bounds near the data, so that neither is out of reach and both have a slope.
    member.log_variance_low = Eigen::VectorXd::Constant(drawn.log_variance_low.size(), -1.5);
    member.log_variance_high = member.log_variance_low.array() + bound_gap;
    return layout.pack(member);
  }

  NetworkShape shape;
  std::vector<double> states, actions, next_states, rewards;
  NetworkData data;
  TrainingRows<double> rows;
  std::vector<Index> order;
};

// The loss of each target.
std::vector<double> losses(Loss loss, const Problem& problem, NetworkPass<double>& pass,
                           const Numbers<double>& parameters) {
  std::vector<double> sums(static_cast<std::size_t>(problem.shape.targets()));
  const MiniBatch all{problem.order.data(), static_cast<Index>(problem.order.size())};
  pass.add_losses(loss, parameters, problem.rows, all, sums.data());
  return sums;
}

double total(const std::vector<double>& sums) { return std::accumulate(sums.begin(), sums.end(), 0.0); }

// What is minimised: the mean loss and the penalty of the bounds.
double objective(Loss loss, const Problem& problem, NetworkPass<double>& pass, const Numbers<double>& parameters) {
  const auto count = static_cast<Index>(problem.order.size());
  const Index targets = problem.shape.targets();
  const double sum = total(losses(loss, problem, pass, parameters));
  double penalty = 0.0;
  if (has_variance(loss)) {
    const auto& layout = pass.layout();
    const auto gap = parameters.segment(layout.high(), targets) - parameters.segment(layout.low(), targets);
    penalty = kBoundPenalty * gap.max(kMinBoundGap).sum();
  }
  return sum / static_cast<double>(count * static_cast<Index>(pass.learned().size())) + penalty;
}

void check_gradient(const NetworkShape& shape, Loss loss, Index count, double bound_gap = 2.2) {
  const Problem problem(shape, count);
  NetworkPass<double> pass(shape, 40, {});
  pass.use_cutoffs(std::vector<double>(static_cast<std::size_t>(shape.targets()), 0.7));
  Numbers<double> parameters = problem.parameters(pass.layout(), bound_gap);
  Numbers<double> gradient = Numbers<double>::Zero(parameters.size());
  const double sum =
      pass.loss_and_gradient(loss, parameters, problem.rows, {problem.order.data(), count}, {}, gradient);
  CHECK(sum == doctest::Approx(total(losses(loss, problem, pass, parameters))).epsilon(1e-14));
  // The error of a central difference is h^2 / 6 of the third derivative, and rounding / h: 1e-10 and 1e-11 here.
  const double h = 1e-5;
  for (Index i = 0; i < parameters.size(); ++i) {
    const double value = parameters(i);
    parameters(i) = value + h;
    const double above = objective(loss, problem, pass, parameters);
    parameters(i) = value - h;
    const double below = objective(loss, problem, pass, parameters);
    parameters(i) = value;
    REQUIRE(gradient(i) == doctest::Approx((above - below) / (2.0 * h)).epsilon(1e-7).scale(1e-2));
  }
}

}  // namespace

TEST_CASE("gradients of every loss agree with central differences") {
  for (const Activation activation : {Activation::kSiLU, Activation::kTanh}) {
    check_gradient(shape_of({13, 6}, activation, false), Loss::kSquaredError, 37);
    check_gradient(shape_of({13, 6}, activation, true), Loss::kGaussian, 37);
    check_gradient(shape_of({13, 6}, activation, true), Loss::kSquaredError, 37);
    check_gradient(shape_of({13, 6}, activation, false), Loss::kHuber, 37);
    check_gradient(shape_of({13, 6}, activation, true), Loss::kHuber, 37);
    check_gradient(shape_of({13, 6}, activation, true), Loss::kStudent, 37);
    check_gradient(shape_of({13, 6}, activation, false), Loss::kLogistic, 37);
    check_gradient(shape_of({}, activation, true), Loss::kGaussian, 8);
    check_gradient(shape_of({20}, activation, true), Loss::kGaussian, 1);
  }
  check_gradient(shape_of({7, 5}, Activation::kReLU, true), Loss::kGaussian, 9);
  check_gradient(shape_of({7, 5}, Activation::kSiLU, true), Loss::kGaussian, 9, 0.5);  // not penalised
  check_gradient(shape_of({7, 5}, Activation::kSiLU, true), Loss::kStudent, 9, 0.5);
}

TEST_CASE("a constant target is neither in the loss nor in the gradient") {
  for (const Loss loss : {Loss::kSquaredError, Loss::kGaussian, Loss::kHuber, Loss::kStudent}) {
    const NetworkShape shape = shape_of({13}, Activation::kSiLU, true);
    const Problem problem(shape, 21);
    const MiniBatch batch{problem.order.data(), 21};
    const Index targets = shape.targets();
    std::vector<Index> all_but_2;
    for (Index i = 0; i < targets; ++i) {
      if (i != 2) all_but_2.push_back(i);
    }
    NetworkPass<double> whole(shape, 21, {});
    NetworkPass<double> without(shape, 21, {2});
    NetworkPass<double> alone(shape, 21, all_but_2);
    NetworkPass<double> nothing(shape, 21, {0, 1, 2, 3});
    const Numbers<double> parameters = problem.parameters(whole.layout());
    Numbers<double> gradient = Numbers<double>::Zero(parameters.size());
    whole.loss_and_gradient(loss, parameters, problem.rows, batch, {}, gradient);
    const double sum = without.loss_and_gradient(loss, parameters, problem.rows, batch, {}, gradient);
    const std::vector<double> of_targets = losses(loss, problem, whole, parameters);
    CHECK(sum == doctest::Approx(total(of_targets) - of_targets[2]));
    CHECK(total(losses(loss, problem, alone, parameters)) == doctest::Approx(of_targets[2]));
    const LayerPlace& last = whole.layout().layers().back();
    for (const Index output : {Index{2}, targets + 2}) {
      CHECK(gradient(last.bias + output) == 0.0);
      CHECK((gradient.segment(last.weights + output * last.stride, last.stride) == 0.0).all());
    }
    CHECK(gradient(whole.layout().low() + 2) == 0.0);
    CHECK(gradient(whole.layout().high() + 2) == 0.0);
    CHECK(gradient(last.bias + 1) != 0.0);
    CHECK(nothing.loss_and_gradient(loss, parameters, problem.rows, batch, {}, gradient) == 0.0);
    CHECK((gradient == 0.0).all());
  }
}

TEST_CASE("a settled target trains the last layer alone") {
  for (const Loss loss : {Loss::kSquaredError, Loss::kGaussian, Loss::kHuber, Loss::kStudent}) {
    const NetworkShape shape = shape_of({13, 7}, Activation::kSiLU, true);
    const Problem problem(shape, 21);
    const MiniBatch batch{problem.order.data(), 21};
    NetworkPass<double> pass(shape, 21, {});
    NetworkPass<double> without(shape, 21, {0, 2});
    const Numbers<double> parameters = problem.parameters(pass.layout());
    Numbers<double> whole = Numbers<double>::Zero(parameters.size());
    Numbers<double> settled = whole;
    Numbers<double> left_out = whole;
    const double sum = pass.loss_and_gradient(loss, parameters, problem.rows, batch, {}, whole);
    CHECK(pass.loss_and_gradient(loss, parameters, problem.rows, batch, {0, 2}, settled) == sum);
    without.loss_and_gradient(loss, parameters, problem.rows, batch, {}, left_out);
    const Index last = pass.layout().layers().back().weights;
    CHECK((settled.tail(settled.size() - last) == whole.tail(whole.size() - last)).all());
    // The mean is over all four targets here, over the other two there.
    CHECK((settled.head(last) - 0.5 * left_out.head(last)).abs().maxCoeff() < 1e-15);
    CHECK(left_out.head(last).abs().maxCoeff() > 1e-3);
  }
}

TEST_CASE("the log-variance stays between its bounds, with the stated slopes") {
  for (const double raw : {-60.0, -9.0, -3.0, 0.0, 0.4, 5.0, 80.0}) {
    const auto got = bounded_log_variance(raw, -10.0, 0.5);
    const auto softplus = [](double x) { return x > 30.0 ? x : std::log1p(std::exp(x)); };
    const double capped = 0.5 - softplus(0.5 - raw);
    CHECK(got.value == doctest::Approx(-10.0 + softplus(capped + 10.0)).epsilon(1e-13));
    CHECK(got.value >= -10.0);
    CHECK(got.value <= 0.5 + 1e-4);
    const double h = 1e-6;
    const auto difference = [&](double by_raw, double by_low, double by_high) {
      const auto value = [&](double s) {
        return bounded_log_variance(raw + s * by_raw, -10.0 + s * by_low, 0.5 + s * by_high).value;
      };
      return (value(h) - value(-h)) / (2.0 * h);
    };
    CHECK(got.by_raw == doctest::Approx(difference(1.0, 0.0, 0.0)).epsilon(1e-7).scale(1e-2));
    CHECK(got.by_low == doctest::Approx(difference(0.0, 1.0, 0.0)).epsilon(1e-7).scale(1e-2));
    CHECK(got.by_high == doctest::Approx(difference(0.0, 0.0, 1.0)).epsilon(1e-7).scale(1e-2));
  }
}

TEST_CASE("padding of rows has no gradient") {
  const NetworkShape shape = shape_of({13}, Activation::kSiLU, true);
  const Problem problem(shape, 21);
  NetworkPass<double> pass(shape, 21, {});
  Numbers<double> gradient = Numbers<double>::Zero(pass.layout().size());
  pass.loss_and_gradient(Loss::kGaussian, problem.parameters(pass.layout()), problem.rows, {problem.order.data(), 21},
                         {}, gradient);
  for (const auto& layer : pass.layout().layers()) {
    for (Index i = 0; i < layer.outputs; ++i) {
      for (Index j = layer.inputs; j < layer.stride; ++j) {
        REQUIRE(gradient(layer.weights + i * layer.stride + j) == 0.0);
      }
    }
  }
}
