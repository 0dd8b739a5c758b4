#include "dynaplan/models/gaussian_process.hpp"

#include <doctest/doctest.h>

#include <Eigen/LU>
#include <cmath>

#include "dynaplan/core/error.hpp"
#include "two_states.hpp"

using namespace dynaplan;
using dynaplan_test::check_jacobians;
using dynaplan_test::kLanes;
using dynaplan_test::random_matrix;
using dynaplan_test::Tile;

namespace {

// Of two states and one action; the first input and the changes lie far from the origin.
GaussianProcessParameters parameters(Index rows, double noise = 0.1) {
  GaussianProcessParameters made{random_matrix(rows, 3, 1), random_matrix(rows, 2, 2), {}};
  made.inputs.col(0).array() += 100.0;
  made.changes.col(1).array() -= 7.0;
  made.states = {{Eigen::Vector3d(0.5, 1.0, 2.0), 1.5, noise}, {Eigen::Vector3d(1.0, 0.0, 0.3), 0.7, 2.0 * noise}};
  return made;
}

double kernel_of(const GaussianKernel& kernel, const Eigen::VectorXd& a, const Eigen::VectorXd& b) {
  const double square = (a - b).cwiseProduct(kernel.inverse_length_scales).squaredNorm();
  return kernel.signal_std * kernel.signal_std * std::exp(-0.5 * square);
}

struct Moments {
  double mean;
  double variance;
};

// The textbook's formulas with an inverse (Rasmussen & Williams 2006, eq. 2.25 and 2.26), in units of the data.
Moments moments(const GaussianProcessParameters& given, Index state, const Eigen::VectorXd& at) {
  const GaussianKernel& kernel = given.states[static_cast<std::size_t>(state)];
  const Index rows = given.inputs.rows();
  Eigen::MatrixXd covariance(rows, rows);
  Eigen::VectorXd with(rows);
  for (Index i = 0; i < rows; ++i) {
    with(i) = kernel_of(kernel, given.inputs.row(i), at);
    for (Index j = 0; j < rows; ++j) covariance(i, j) = kernel_of(kernel, given.inputs.row(i), given.inputs.row(j));
    covariance(i, i) += kernel.noise_std * kernel.noise_std;
  }
  const Eigen::MatrixXd inverse = covariance.inverse();
  const double middle = given.changes.col(state).mean();
  const Eigen::VectorXd deviations = given.changes.col(state).array() - middle;
  return {middle + with.dot(inverse * deviations), kernel.signal_std * kernel.signal_std - with.dot(inverse * with)};
}

template <class T>
GaussianProcessDynamics<T> dynamics_of(const GaussianProcessParameters& given) {
  const auto process = std::make_shared<const GaussianProcess>(given, 1);
  return {process, process->noise_std()};
}

// States near the data, (2, K), and actions.
template <class T>
Tile<T> near_states() {
  Tile<T> state(2, kLanes, 3);
  for (Index k = 0; k < kLanes; ++k) state(0, k) += T(100);
  return state;
}

template <class T>
Tile<T> stepped(const GaussianProcessParameters& given, Propagation propagation, const Tile<T>& state,
                const Tile<T>& action) {
  const GaussianProcessDynamics<T> dynamics = dynamics_of<T>(given);
  Workspace workspace;
  workspace.reserve(dynamics.workspace_bytes(kLanes));
  Draw draw;
  draw.propagation = propagation;
  Tile<T> next(2, kLanes);
  dynamics.step(state.view(), action.view(), draw, workspace, next.block());
  return next;
}

}  // namespace

TEST_CASE("the kernel of rows is e to the minus squared distance, and symmetric to the bit") {
  for (const Index count : {1, 7, 33}) {
    const KernelRows rows = random_matrix(count, 3, 1);
    const Eigen::MatrixXd kernel = squared_exponential(rows);
    REQUIRE(kernel.rows() == count);
    CHECK(kernel == kernel.transpose());
    for (Index i = 0; i < count; ++i) {
      CHECK(kernel(i, i) == 1.0);
      CHECK(kernel(i, 0) == doctest::Approx(std::exp(-(rows.row(i) - rows.row(0)).squaredNorm())).epsilon(1e-14));
    }
  }
}

TEST_CASE("a packed triangle gives the squared norms of its products") {
  for (const Index size : {1, 4, 6, 13}) {
    const Eigen::MatrixXd lower = random_matrix(size, size, 2).triangularView<Eigen::Lower>();
    for (const Index lanes : {kVectorLanes<double>, 3 * kVectorLanes<double>}) {
      const Tile<double> x(size, lanes, 5);
      std::vector<double, Eigen::aligned_allocator<double>> got(static_cast<std::size_t>(lanes));
      PackedLower(lower).squared_norms(x.view(), got.data());
      for (Index k = 0; k < lanes; ++k) {
        Eigen::VectorXd column(size);
        for (Index i = 0; i < size; ++i) column(i) = x(i, k);
        CHECK(got[static_cast<std::size_t>(k)] == doctest::Approx((lower * column).squaredNorm()));
      }
    }
  }
}

TEST_CASE("means and variances are the textbook's, for any number of rows") {
  for (const Index rows : {1, 2, 9, 30}) {
    const GaussianProcessParameters given = parameters(rows);
    const GaussianProcess process(given, 1);
    const Eigen::MatrixXd states = given.inputs.leftCols(2).array() + 0.3;
    const Eigen::MatrixXd actions = given.inputs.rightCols(1);
    Eigen::Matrix<double, -1, -1, Eigen::RowMajor> state_rows = states;
    const Eigen::VectorXd action_rows = actions;
    StepQuery query{state_rows.data(), action_rows.data(), rows, 2, 1};
    Eigen::Matrix<double, -1, -1, Eigen::RowMajor> mean(rows, 2);
    Eigen::Matrix<double, -1, -1, Eigen::RowMajor> variance(rows, 2);
    predict(process, query, mean.data(), variance.data());
    for (Index row = 0; row < rows; ++row) {
      const Eigen::Vector3d at(states(row, 0), states(row, 1), actions(row, 0));
      for (Index d = 0; d < 2; ++d) {
        const Moments expected = moments(given, d, at);
        CHECK(mean(row, d) - states(row, d) == doctest::Approx(expected.mean).epsilon(1e-10));
        CHECK(variance(row, d) == doctest::Approx(expected.variance).epsilon(1e-9));
      }
    }
  }
}

TEST_CASE_TEMPLATE("a step is the mean, and a draw has the variances of f and of the noise", T, float, double) {
  const GaussianProcessParameters given = parameters(12);
  const Tile<T> state = near_states<T>();
  const Tile<T> action(1, kLanes, 4);
  const Tile<T> mean = stepped(given, Propagation::kMean, state, action);
  const Tile<T> drawn = stepped(given, Propagation::kSample, state, action);
  Tile<T> normals(2, kLanes);
  Draw draw;
  draw.propagation = Propagation::kSample;
  fill_normal(draw, Purpose::kDynamics, normals.block());
  for (Index k = 0; k < kLanes; ++k) {
    const Eigen::Vector3d at(static_cast<double>(state(0, k)), static_cast<double>(state(1, k)),
                             static_cast<double>(action(0, k)));
    for (Index d = 0; d < 2; ++d) {
      const Moments expected = moments(given, d, at);
      const double noise = given.states[static_cast<std::size_t>(d)].noise_std;
      CHECK(static_cast<double>(mean(d, k)) == doctest::Approx(at(d) + expected.mean).epsilon(1e-6));
      const double apart = std::sqrt(expected.variance + noise * noise) * static_cast<double>(normals(d, k));
      CHECK(static_cast<double>(drawn(d, k)) == doctest::Approx(at(d) + expected.mean + apart).epsilon(1e-6));
    }
  }
}

TEST_CASE("float32 rounds states and nothing else, where weights cancel to a part in 1e7") {
  GaussianProcessParameters given = parameters(60, 1e-4);
  for (Index row = 0; row < 60; ++row) given.changes(row, 0) = std::sin(given.inputs(row, 1));
  Tile<float> state = near_states<float>();
  const Tile<float> action(1, kLanes, 4);
  Tile<double> exact_state(2, kLanes);
  Tile<double> exact_action(1, kLanes);
  for (Index k = 0; k < kLanes; ++k) {
    for (Index d = 0; d < 2; ++d) exact_state(d, k) = static_cast<double>(state(d, k));
    exact_action(0, k) = static_cast<double>(action(0, k));
  }
  const Tile<float> next = stepped(given, Propagation::kMean, state, action);
  const Tile<double> exact = stepped(given, Propagation::kMean, exact_state, exact_action);
  for (Index k = 0; k < kLanes; ++k) {
    for (Index d = 0; d < 2; ++d) CHECK(next(d, k) == static_cast<float>(exact(d, k)));
  }
}

TEST_CASE("derivatives are those of differences") { check_jacobians(dynamics_of<double>(parameters(20)), 1e-7); }

TEST_CASE("disagreement is the root mean square of f's standard deviations, in those of the changes") {
  const GaussianProcessParameters given = parameters(12);
  const GaussianProcessDynamics<double> dynamics = dynamics_of<double>(given);
  const Tile<double> state = near_states<double>();
  const Tile<double> action(1, kLanes, 4);
  Workspace workspace;
  workspace.reserve(dynamics.workspace_bytes(kLanes));
  std::vector<double> got(kLanes);
  dynamics.disagreement(state.view(), action.view(), workspace, got.data());
  for (Index k = 0; k < kLanes; ++k) {
    double sum = 0.0;
    for (Index d = 0; d < 2; ++d) {
      const Eigen::VectorXd changes = given.changes.col(d);
      const double variance = (changes.array() - changes.mean()).square().mean();
      sum += moments(given, d, Eigen::Vector3d(state(0, k), state(1, k), action(0, k))).variance / variance;
    }
    CHECK(got[static_cast<std::size_t>(k)] == doctest::Approx(std::sqrt(sum / 2.0)));
  }
}

TEST_CASE("of a row that is left out the others say what a model of them alone says") {
  const GaussianProcessParameters given = parameters(9);
  const GaussianProcess process(given, 1);
  for (Index row = 0; row < 9; ++row) {
    GaussianProcessParameters others = given;
    const Index last = 8;
    others.inputs.row(row) = given.inputs.row(last);
    others.changes.row(row) = given.changes.row(last);
    others.inputs.conservativeResize(last, Eigen::NoChange);
    others.changes.conservativeResize(last, Eigen::NoChange);
    for (Index d = 0; d < 2; ++d) {
      const double signal = given.states[static_cast<std::size_t>(d)].signal_std;
      const double expected = moments(others, d, given.inputs.row(row)).variance / (signal * signal);
      CHECK(process.posterior(d).left_out_shares()(row) == doctest::Approx(expected));
    }
  }
}

TEST_CASE("rows that are there twice without noise to speak of are no reason to fail") {
  GaussianProcessParameters given = parameters(10, 1e-200);
  given.inputs.bottomRows(5) = given.inputs.topRows(5);
  given.changes.bottomRows(5) = given.changes.topRows(5);
  const GaussianProcess process(given, 2);
  const Tile<double> next = stepped(given, Propagation::kSample, near_states<double>(), Tile<double>(1, kLanes, 4));
  for (Index k = 0; k < kLanes; ++k) CHECK(std::isfinite(next(0, k)));
}

TEST_CASE("numbers that are none of a Gaussian process are refused") {
  const auto with = [](const auto& change) {
    GaussianProcessParameters given = parameters(5);
    change(given);
    return given;
  };
  const auto refused = [&](const auto& change) { CHECK_THROWS_AS(with(change).validate(), Error); };
  refused([](auto& given) { given.states.pop_back(); });
  refused([](auto& given) { given.changes.conservativeResize(4, 2); });
  refused([](auto& given) { given.inputs.conservativeResize(5, 2); });
  refused([](auto& given) { given.inputs(3, 1) = std::nan(""); });
  refused([](auto& given) { given.changes(3, 1) = HUGE_VAL; });
  refused([](auto& given) { given.states[0].signal_std = 0.0; });
  refused([](auto& given) { given.states[1].noise_std = -1.0; });
  refused([](auto& given) { given.states[1].inverse_length_scales(0) = -1.0; });
  refused([](auto& given) { given.states[1].inverse_length_scales.resize(2); });
  refused([](auto& given) {
    given.inputs.resize(0, 3);
    given.changes.resize(0, 2);
  });
  const auto unequal = with([](auto& given) {
    given.states[0].signal_std = 1e-300;
    given.states[0].noise_std = 1e300;
  });
  CHECK_THROWS_AS(GaussianProcess(unequal, 1), NumericalError);
}
