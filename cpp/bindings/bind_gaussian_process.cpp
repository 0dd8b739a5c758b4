#include <memory>
#include <utility>
#include <vector>

#include "abandon.hpp"
#include "arrays.hpp"
#include "bindings.hpp"
#include "dynaplan/fit/gaussian_process_fit.hpp"
#include "handles.hpp"
#include "query.hpp"
#include "watch.hpp"

namespace dynaplan::bindings {

namespace {

// What Python holds of a model: the factored covariances, shared by those that differ by their noise alone.
struct GaussianProcessHandle {
  std::shared_ptr<const GaussianProcess> process;
  Eigen::VectorXd noise_std;
};

// Asks nobody while a covariance is factored, so that Ctrl-C leaves it to itself.
GaussianProcessHandle made(GaussianProcessParameters parameters, const GaussianProcessData* data,
                           const GaussianProcessFitSettings& settings) {
  const auto process = std::make_shared<std::shared_ptr<const GaussianProcess>>();
  const auto given = std::make_shared<GaussianProcessParameters>(std::move(parameters));
  const auto rows = data == nullptr ? nullptr : std::make_shared<const GaussianProcessData>(*data);
  const auto work = [process, given, rows, settings](const Interrupt& interrupt) {
    if (rows != nullptr) *given = fit_gaussian_process(*rows, settings, &interrupt);
    *process = std::make_shared<const GaussianProcess>(std::move(*given), settings.threads, &interrupt);
  };
  AbandonedWork::run(work, {});
  return {*process, (*process)->noise_std()};
}

GaussianProcessHandle fit(const py::array& inputs, const py::array& changes, const py::array& state_sizes,
                          IndexType starts, IndexType hyperparameter_rows, std::uint64_t seed, int threads) {
  const GaussianProcessData data{matrix_input(inputs, "inputs"), matrix_input(changes, "changes"),
                                 vector_input(state_sizes, "state_sizes")};
  return made({}, &data, {starts, hyperparameter_rows, seed, threads});
}

GaussianProcessHandle from_arrays(const py::array& inputs, const py::array& changes,
                                  const py::array& inverse_length_scales, const py::array& signal_std,
                                  const py::array& noise_std) {
  GaussianProcessParameters parameters{matrix_input(inputs, "inputs"), matrix_input(changes, "changes"), {}};
  const Eigen::MatrixXd scales = matrix_input(inverse_length_scales, "inverse_length_scales");
  const Eigen::VectorXd signal = vector_input(signal_std, "signal_std");
  const Eigen::VectorXd noise = vector_input(noise_std, "noise_std");
  require_size("signal_std", signal.size(), scales.rows());
  require_size("noise_std", noise.size(), scales.rows());
  for (IndexType d = 0; d < scales.rows(); ++d) parameters.states.push_back({scales.row(d), signal(d), noise(d)});
  parameters.validate();
  return made(std::move(parameters), nullptr, {});
}

GaussianProcessHandle with_noise(const GaussianProcessHandle& self, const py::array& noise_std) {
  Eigen::VectorXd noise = vector_input(noise_std, "noise_std");
  require_size("noise_std", noise.size(), self.process->state_dim());
  for (const double value : noise) require_positive("noise_std", value);
  return {self.process, std::move(noise)};
}

DynamicsHandle dynamics(const GaussianProcessHandle& self) {
  return {std::make_shared<const GaussianProcessDynamics<float>>(self.process, self.noise_std),
          std::make_shared<const GaussianProcessDynamics<double>>(self.process, self.noise_std)};
}

// Mean, aleatoric and epistemic variances, (N, S) each.
py::tuple predict_rows(const GaussianProcessHandle& self, const py::array& states, const py::array& actions,
                       int threads) {
  const PythonInterrupt interrupt;
  const StepQuery query =
      query_of(states, actions, self.process->state_dim(), self.process->action_dim(), threads, interrupt);
  const std::array<IndexType, 2> shape{query.count, query.state_dim};
  py::array_t<double> mean(shape);
  py::array_t<double> aleatoric(shape);
  py::array_t<double> epistemic(shape);
  double* const means = mean.mutable_data();
  double* const open = epistemic.mutable_data();
  Eigen::Map<RowMatrix>(aleatoric.mutable_data(), query.count, query.state_dim).rowwise() =
      self.noise_std.cwiseAbs2().transpose();
  {
    const py::gil_scoped_release release;
    predict(*self.process, query, means, open);
  }
  return py::make_tuple(mean, aleatoric, epistemic);
}

// A number of each state's kernel.
template <class Number>
Eigen::VectorXd of_states(const GaussianProcessHandle& self, const Number& number) {
  Eigen::VectorXd values(self.process->state_dim());
  for (IndexType d = 0; d < values.size(); ++d) values(d) = number(d);
  return values;
}

py::array_t<double> inverse_length_scales(const GaussianProcessHandle& self) {
  const GaussianProcessParameters& parameters = self.process->parameters();
  Eigen::MatrixXd scales(self.process->state_dim(), parameters.inputs.cols());
  for (IndexType d = 0; d < scales.rows(); ++d) {
    scales.row(d) = parameters.states[static_cast<std::size_t>(d)].inverse_length_scales;
  }
  return to_array(scales);
}

}  // namespace

void bind_gaussian_process(py::module_& m) {
  using Self = GaussianProcessHandle;
  py::class_<Self>(m, "GaussianProcess", py::module_local())
      .def_static("fit", &fit, py::arg("inputs"), py::arg("changes"), py::arg("state_sizes"), py::arg("starts"),
                  py::arg("hyperparameter_rows"), py::arg("seed"), py::arg("threads"))
      .def_static("from_arrays", &from_arrays, py::arg("inputs"), py::arg("changes"), py::arg("inverse_length_scales"),
                  py::arg("signal_std"), py::arg("noise_std"))
      .def("with_noise", &with_noise, py::arg("noise_std"))
      .def("dynamics", &dynamics)
      .def("predict", &predict_rows, py::arg("states"), py::arg("actions"), py::arg("threads"))
      .def_property_readonly("state_dim", [](const Self& self) { return self.process->state_dim(); })
      .def_property_readonly("action_dim", [](const Self& self) { return self.process->action_dim(); })
      .def_property_readonly("inputs", [](const Self& self) { return to_array(self.process->parameters().inputs); })
      .def_property_readonly("changes", [](const Self& self) { return to_array(self.process->parameters().changes); })
      .def_property_readonly("inverse_length_scales", &inverse_length_scales)
      .def_property_readonly(
          "signal_std",
          [](const Self& self) {
            return to_vector(of_states(self, [&](IndexType d) { return self.process->posterior(d).signal_std(); }));
          })
      .def_property_readonly("noise_std", [](const Self& self) { return to_vector(self.noise_std); })
      .def_property_readonly("log_marginal_likelihood",
                             [](const Self& self) {
                               return to_vector(of_states(self, [&](IndexType d) {
                                 return self.process->posterior(d).log_marginal_likelihood();
                               }));
                             })
      .def_property_readonly("left_out_disagreement",
                             [](const Self& self) { return to_vector(self.process->left_out_disagreement()); });
}

}  // namespace dynaplan::bindings
