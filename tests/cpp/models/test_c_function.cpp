#include <doctest/doctest.h>

#include <cmath>

#include "dynaplan/models/c_function.hpp"
#include "dynaplan/models/central_differences.hpp"
#include "dynaplan/models/jacobians.hpp"
#include "dynaplan/models/linear.hpp"
#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::Tile;

namespace {

// s'_0 = s_0 + gain sin(s_1), s'_1 = s_1^2 a_0 + 3 a_1.
template <class F>
void bend(const F* state, const F* action, std::int64_t stride, std::int64_t lanes, void* gain, F* next_state) {
  const F factor = static_cast<F>(*static_cast<const double*>(gain));
  for (std::int64_t k = 0; k < lanes; ++k) {
    next_state[k] = state[k] + factor * std::sin(state[stride + k]);
    next_state[stride + k] = state[stride + k] * state[stride + k] * action[k] + F(3) * action[stride + k];
  }
}

double gain = 2.0;

template <class F>
CFunction<DynamicsSignature> function() {
  return {&bend<F>, &gain, nullptr};
}

template <class T, class F>
void check_step() {
  const Index lanes = 16;
  const CFunctionDynamics<T> dynamics(function<F>(), 2, 2);
  const Tile<T> state(2, 2 * lanes, 1);
  const Tile<T> action(2, lanes, 2);
  Tile<T> next(2, 3 * lanes);
  Workspace workspace;
  workspace.reserve(dynamics.workspace_bytes(lanes));
  dynamics.step({state.view().data, 2, lanes, 2 * lanes}, action.view(), Draw(), workspace,
                {next.block().data, 2, lanes, 3 * lanes});
  const double tolerance = sizeof(T) == 4 || sizeof(F) == 4 ? 1e-5 : 1e-13;
  for (Index k = 0; k < lanes; ++k) {
    const double s1 = static_cast<double>(state(1, k));
    const double first = static_cast<double>(state(0, k)) + 2.0 * std::sin(s1);
    const double second = s1 * s1 * static_cast<double>(action(0, k)) + 3.0 * static_cast<double>(action(1, k));
    CHECK(static_cast<double>(next(0, k)) == doctest::Approx(first).epsilon(tolerance));
    CHECK(static_cast<double>(next(1, k)) == doctest::Approx(second).epsilon(tolerance));
  }
}

}  // namespace

TEST_CASE("compiled dynamics of either precision step blocks of either, whatever lies between the rows") {
  check_step<float, float>();
  check_step<float, double>();
  check_step<double, float>();
  check_step<double, double>();
}

TEST_CASE("derivatives of compiled dynamics are those of the formula, for any number of queries") {
  const CFunctionDynamics<double> dynamics(function<double>(), 2, 2);
  const Index count = 37;
  const Eigen::MatrixXd inputs = dynaplan_test::random_matrix(4, count, 5);
  const Eigen::MatrixXd states = 10.0 * inputs.topRows(2);  // a column a query, as rows in memory
  const Eigen::MatrixXd actions = inputs.bottomRows(2);
  Eigen::MatrixXd next(2, count);
  Eigen::MatrixXd of_state(4, count);
  Eigen::MatrixXd of_action(4, count);
  jacobians(dynamics, {states.data(), actions.data(), count, 2, 2, 2},
            {next.data(), of_state.data(), of_action.data()});
  for (Index n = 0; n < count; ++n) {
    const double s1 = states(1, n);
    const Eigen::Vector4d by_state(1.0, 2.0 * std::cos(s1), 0.0, 2.0 * s1 * actions(0, n));
    const Eigen::Vector4d by_action(0.0, 0.0, s1 * s1, 3.0);
    CHECK((of_state.col(n) - by_state).cwiseAbs().maxCoeff() < 1e-7);
    CHECK((of_action.col(n) - by_action).cwiseAbs().maxCoeff() < 1e-7);
    CHECK(next(0, n) == states(0, n) + 2.0 * std::sin(s1));
  }
}

TEST_CASE_TEMPLATE("central differences of linear dynamics are their coefficients", T, float, double) {
  const Eigen::MatrixXd weights = dynaplan_test::random_matrix(3, 5, 6);
  const LinearDynamics<T> dynamics(3, PolynomialFeatures(5, 1), weights, Eigen::Vector3d::Zero(),
                                   Eigen::Matrix3d::Zero());
  const Index lanes = 16;
  const Tile<T> state(3, lanes, 7);
  const Tile<T> action(2, lanes, 8);
  Tile<T> next(3, lanes);
  Tile<T> of_state(9, lanes);
  Tile<T> of_action(6, lanes);
  Workspace workspace;
  workspace.reserve(central_differences_bytes(dynamics, lanes));
  central_differences<T>(dynamics, state.view(), action.view(), workspace,
                         {next.block(), of_state.block(), of_action.block()});
  const double tolerance = sizeof(T) == 4 ? 2e-4 : 1e-9;
  for (Index k = 0; k < lanes; ++k) {
    for (Index d = 0; d < 3; ++d) {
      for (Index i = 0; i < 3; ++i) {
        CHECK(std::abs(static_cast<double>(of_state(d * 3 + i, k)) - weights(d, i)) < tolerance);
      }
      for (Index j = 0; j < 2; ++j) {
        CHECK(std::abs(static_cast<double>(of_action(d * 2 + j, k)) - weights(d, 3 + j)) < tolerance);
      }
    }
  }
}
