#include <memory>
#include <utility>
#include <vector>

#include "abandon.hpp"
#include "arrays.hpp"
#include "bindings.hpp"
#include "dynaplan/core/check.hpp"
#include "dynaplan/fit/linear_gaussian_fit.hpp"
#include "dynaplan/fit/recursive.hpp"
#include "handles.hpp"
#include "interrupt.hpp"
#include "query.hpp"
#include "watch.hpp"

namespace dynaplan::bindings {

namespace {

RegressionData data_of(const RegressionDesign* design, const py::array& states, const py::array& actions,
                       const py::array& next_states, const py::object& weights) {
  const IndexType state_dim = design != nullptr ? design->state_dim : IndexType{-1};
  const IndexType action_dim = design != nullptr ? design->action_dim() : IndexType{-1};
  RegressionData data;
  data.states = input<double>(states, "states", {-1, state_dim});
  data.count = states.shape(0);
  data.actions = input<double>(actions, "actions", {data.count, action_dim});
  data.next_states = input<double>(next_states, "next_states", {data.count, states.shape(1)});
  data.weights = optional_input<double>(weights, "weights", {data.count});
  return data;
}

// Whether a fit of rows with so many columns takes longer than a signal should wait; it asks nobody meanwhile.
bool takes_long(IndexType rows, IndexType columns) {
  constexpr double kOperations = 1e8;  // some 50 ms
  const auto size = static_cast<double>(columns);
  // A decomposition of the columns alone, where they are not independent, costs some ten products.
  return (static_cast<double>(rows) + 10.0 * size) * size * size > kOperations;
}

// What `make` makes of the memory of the Python objects `used`; where that is long, on a thread that Ctrl-C abandons.
template <class Make>
LinearGaussianFit made_fit(bool is_long, const Make& make, const std::vector<py::object>& used) {
  const auto made = std::make_shared<std::unique_ptr<LinearGaussianFit>>();
  const auto work = [made, make](const Interrupt& interrupt) {
    *made = std::make_unique<LinearGaussianFit>(make(interrupt));
  };
  if (is_long) {
    AbandonedWork::run(work, used);
  } else {
    run_watched(false, work);
  }
  return std::move(**made);
}

LinearGaussianFit fit(const py::array& states, const py::array& actions, const py::array& next_states,
                      const py::object& weights, int degree, bool intercept, bool predicts_change, double ridge,
                      double threshold, int threads) {
  const RegressionData data = data_of(nullptr, states, actions, next_states, weights);
  const IndexType state_dim = states.shape(1);
  const RegressionDesign design{state_dim, PolynomialFeatures(state_dim + actions.shape(1), degree), intercept,
                                predicts_change};
  const Regularisation regularisation{ridge, threshold};
  return made_fit(takes_long(data.count, design.columns()),
                  [=](const Interrupt& interrupt) {
                    return LinearGaussianFit::fit(design, data, regularisation, threads, &interrupt);
                  },
                  {states, actions, next_states, weights});
}

LinearGaussianFit updated(const LinearGaussianFit& self, const py::array& states, const py::array& actions,
                          const py::array& next_states, const py::object& weights, int threads) {
  const RegressionData data = data_of(&self.design(), states, actions, next_states, weights);
  return made_fit(takes_long(data.count, self.design().columns()),
                  [=, &self](const Interrupt& interrupt) { return self.updated(data, threads, &interrupt); },
                  {py::cast(&self), states, actions, next_states, weights});
}

LinearGaussianFit merged(const LinearGaussianFit& self, const LinearGaussianFit& other) {
  const IndexType columns = self.design().columns();
  return made_fit(takes_long(columns, columns), [&](const Interrupt& /*interrupt*/) { return self.merged(other); },
                  {py::cast(&self), py::cast(&other)});
}

py::tuple predict(const LinearGaussianFit& self, const py::array& states, const py::array& actions, int threads) {
  const PythonInterrupt interrupt;
  const StepQuery query =
      query_of(states, actions, self.model().state_dim(), self.model().action_dim(), threads, interrupt);
  const std::array<IndexType, 2> shape{query.count, query.state_dim};
  py::array_t<double> mean(shape);
  py::array_t<double> aleatoric(shape);
  py::array_t<double> epistemic(shape);
  double* const m = mean.mutable_data();
  double* const al = aleatoric.mutable_data();
  double* const ep = epistemic.mutable_data();
  {
    const py::gil_scoped_release release;
    self.model().predict(query, m, al, ep);
  }
  return py::make_tuple(mean, aleatoric, epistemic);
}

DynamicsHandle dynamics(const LinearGaussianFit& self) {
  return {std::make_shared<const LinearDynamics<float>>(self.model().dynamics<float>()),
          std::make_shared<const LinearDynamics<double>>(self.model().dynamics<double>())};
}

py::array_t<int> exponents(const LinearGaussianFit& self) {
  const PolynomialFeatures& features = self.design().features;
  py::array_t<int> powers({features.count(), features.inputs()});
  for (IndexType feature = 0; feature < features.count(); ++feature) {
    const std::vector<int> row = features.exponents(feature);
    std::copy(row.begin(), row.end(), powers.mutable_data(feature, 0));
  }
  return powers;
}

// All that a fit is made of besides its settings.
py::tuple state_of(const LinearGaussianFit& self) {
  return py::make_tuple(self.model().state_dim(), to_array(self.factor().upper()), self.factor().rows(),
                        to_vector(self.inputs_seen().low.matrix()), to_vector(self.inputs_seen().high.matrix()),
                        self.inputs_seen().float32_exact);
}

LinearGaussianFit from_state(const py::tuple& state, int degree, bool intercept, bool predicts_change, double ridge,
                             double threshold) {
  const auto state_dim = state[0].cast<IndexType>();
  InputSummary seen(0);
  seen.low = vector_input(state[3].cast<py::array>(), "low");
  seen.high = vector_input(state[4].cast<py::array>(), "high");
  seen.float32_exact = state[5].cast<bool>();
  const RegressionDesign design{state_dim, PolynomialFeatures(seen.low.size(), degree), intercept, predicts_change};
  const Eigen::MatrixXd upper = matrix_input(state[1].cast<py::array>(), "factor");
  if (upper.rows() != design.columns() || upper.cols() != design.columns() || state_dim >= seen.low.size()) {
    throw ShapeError("factor: has another shape than its settings say; must come from the same fit");
  }
  return {design, TriangularFactor(upper, state[2].cast<double>()), std::move(seen), {ridge, threshold}};
}

void bind_linear_gaussian(py::module_& m) {
  using Self = LinearGaussianFit;
  py::class_<Self>(m, "LinearGaussianFit", py::module_local())
      .def_static("fit", &fit, py::arg("states"), py::arg("actions"), py::arg("next_states"), py::arg("weights"),
                  py::arg("degree"), py::arg("intercept"), py::arg("predicts_change"), py::arg("ridge"),
                  py::arg("threshold"), py::arg("threads"))
      .def("updated", &updated, py::arg("states"), py::arg("actions"), py::arg("next_states"), py::arg("weights"),
           py::arg("threads"))
      .def("merged", &merged, py::arg("other"))
      .def("predict", &predict, py::arg("states"), py::arg("actions"), py::arg("threads"))
      .def("dynamics", &dynamics)
      .def("state", &state_of)
      .def_static("from_state", &from_state, py::arg("state"), py::arg("degree"), py::arg("intercept"),
                  py::arg("predicts_change"), py::arg("ridge"), py::arg("threshold"))
      .def("exponents", &exponents)
      .def_property_readonly("state_dim", [](const Self& self) { return self.model().state_dim(); })
      .def_property_readonly("action_dim", [](const Self& self) { return self.model().action_dim(); })
      .def_property_readonly("weights", [](const Self& self) { return to_array(self.model().parameters().weights); })
      .def_property_readonly("intercept",
                             [](const Self& self) { return to_vector(self.model().parameters().intercept); })
      .def_property_readonly("noise_covariance",
                             [](const Self& self) { return to_array(self.model().parameters().noise_covariance); })
      .def_property_readonly("spreads",
                             [](const Self& self) {
                               py::list spreads;
                               for (const auto& spread : self.solution().spreads) spreads.append(to_array(spread));
                               return spreads;
                             })
      .def_property_readonly("null_basis", [](const Self& self) { return to_array(self.solution().null_basis); })
      .def_property_readonly("rank", [](const Self& self) { return self.solution().rank; })
      .def_property_readonly("columns", [](const Self& self) { return self.design().feature_columns(); })
      .def_property_readonly("degrees_of_freedom",
                             [](const Self& self) { return to_vector(self.solution().degrees_of_freedom); })
      .def_property_readonly("rows", [](const Self& self) { return self.factor().rows(); })
      .def_property_readonly("factor", [](const Self& self) { return to_array(self.factor().upper()); })
      .def_property_readonly("input_low", [](const Self& self) { return to_vector(self.inputs_seen().low.matrix()); })
      .def_property_readonly("input_high",
                             [](const Self& self) { return to_vector(self.inputs_seen().high.matrix()); });
}

Forgetting kind_of(bool directional) { return directional ? Forgetting::kDirectional : Forgetting::kExponential; }

void update_recursive(RecursiveLeastSquares& self, const py::array& state, const py::array& action,
                      const py::array& next_state) {
  const IndexType state_dim = self.design().state_dim;
  self.update(input<double>(state, "state", {state_dim}), input<double>(action, "action", {self.design().action_dim()}),
              input<double>(next_state, "next_state", {state_dim}));
}

py::tuple recursive_state(const RecursiveLeastSquares& self) {
  const RecursiveLeastSquares::State state = self.state();
  const InputSummary& seen = state.inputs_seen;
  return py::make_tuple(to_array(state.factor.upper()), state.factor.rows(), to_vector(seen.low.matrix()),
                        to_vector(seen.high.matrix()), seen.float32_exact, state.fades,
                        to_vector(state.sizes.matrix()));
}

void restore_recursive(RecursiveLeastSquares& self, const py::tuple& state) {
  InputSummary seen(0);
  seen.low = vector_input(state[2].cast<py::array>(), "low");
  seen.high = vector_input(state[3].cast<py::array>(), "high");
  seen.float32_exact = state[4].cast<bool>();
  TriangularFactor factor(matrix_input(state[0].cast<py::array>(), "factor"), state[1].cast<double>());
  self.restore(
      {std::move(factor), std::move(seen), state[5].cast<bool>(), vector_input(state[6].cast<py::array>(), "sizes")});
}

}  // namespace

void bind_fit(py::module_& m) {
  bind_linear_gaussian(m);
  using Self = RecursiveLeastSquares;
  py::class_<Self>(m, "RecursiveLeastSquares", py::module_local())
      .def(py::init([](IndexType state_dim, IndexType action_dim, int degree, bool intercept, bool predicts_change,
                       double ridge, double threshold, double forgetting, bool directional) {
             const RegressionDesign design{state_dim, PolynomialFeatures(state_dim + action_dim, degree), intercept,
                                           predicts_change};
             return Self(design, {ridge, threshold}, forgetting, kind_of(directional));
           }),
           py::arg("state_dim"), py::arg("action_dim"), py::arg("degree"), py::arg("intercept"),
           py::arg("predicts_change"), py::arg("ridge"), py::arg("threshold"), py::arg("forgetting"),
           py::arg("directional"))
      .def(py::init([](const LinearGaussianFit& fit, double forgetting, bool directional) {
             return Self(fit, forgetting, kind_of(directional));
           }),
           py::arg("fit"), py::arg("forgetting"), py::arg("directional"))
      .def("update", &update_recursive, py::arg("state"), py::arg("action"), py::arg("next_state"))
      .def("fit",
           [](const Self& self) {
             std::unique_ptr<LinearGaussianFit> made;
             run_watched(takes_long(0, self.design().columns()),
                         [&](const Interrupt&) { made = std::make_unique<LinearGaussianFit>(self.fit()); });
             return std::move(*made);
           })
      .def("state", &recursive_state)
      .def("restore", &restore_recursive, py::arg("state"))
      .def_property_readonly("state_dim", [](const Self& self) { return self.design().state_dim; })
      .def_property_readonly("action_dim", [](const Self& self) { return self.design().action_dim(); })
      .def_property_readonly("rows", &Self::rows);
}

}  // namespace dynaplan::bindings
