#include <pybind11/stl.h>

#include "arrays.hpp"
#include "bindings.hpp"
#include "dynaplan/core/check.hpp"
#include "dynaplan/models/network_prediction.hpp"
#include "interrupt.hpp"
#include "network_handle.hpp"
#include "query.hpp"

namespace dynaplan::bindings {

namespace {

using FloatMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

using Arrays = std::vector<py::array>;

// Layer `index` of all members from arrays (members, outputs, inputs) and (members, outputs).
void add_layer(const Arrays& weights, const Arrays& biases, IndexType index, NetworkParameters& to) {
  const auto members = static_cast<IndexType>(to.members.size());
  const IndexType outputs = to.shape.layer_outputs(index);
  const IndexType inputs = to.shape.layer_inputs(index);
  const auto layer = static_cast<std::size_t>(index);
  const float* weight = input<float>(weights[layer], "weights", {members, outputs, inputs});
  const float* bias = input<float>(biases[layer], "biases", {members, outputs});
  for (NetworkMember<float>& member : to.members) {
    member.layers.push_back(
        {Eigen::Map<const FloatMatrix>(weight, outputs, inputs), Eigen::Map<const Eigen::VectorXf>(bias, outputs)});
    weight += outputs * inputs;
    bias += outputs;
  }
}

void add_bounds(const py::object& low, const py::object& high, NetworkParameters& to) {
  const auto members = static_cast<IndexType>(to.members.size());
  const IndexType targets = to.shape.targets();
  const float* lows = optional_input<float>(low, "log_variance_low", {members, targets});
  const float* highs = optional_input<float>(high, "log_variance_high", {members, targets});
  if (lows == nullptr || highs == nullptr) return;
  for (NetworkMember<float>& member : to.members) {
    member.log_variance_low = Eigen::Map<const Eigen::VectorXf>(lows, targets);
    member.log_variance_high = Eigen::Map<const Eigen::VectorXf>(highs, targets);
    lows += targets;
    highs += targets;
  }
}

NetworkHandle make(IndexType state_dim, IndexType action_dim, std::vector<IndexType> angles,
                   std::vector<IndexType> hidden, const std::string& activation, bool probabilistic, bool rewards,
                   const py::array& input_mean, const py::array& input_scale, const py::array& target_mean,
                   const py::array& target_scale, const Arrays& weights, const Arrays& biases, const py::object& low,
                   const py::object& high, std::vector<double> periods) {
  NetworkParameters made;
  made.shape = {state_dim,     action_dim, std::move(angles), std::move(hidden), activation_of(activation),
                probabilistic, rewards,    std::move(periods)};
  made.scaling = {vector_input(input_mean, "input_mean"), vector_input(input_scale, "input_scale"),
                  vector_input(target_mean, "target_mean"), vector_input(target_scale, "target_scale")};
  made.shape.validate();  // the shapes of the arrays below follow from it
  const auto layers = static_cast<std::size_t>(made.shape.layers());
  if (weights.size() != layers || biases.size() != layers) {
    throw_shape_error("weights", text_of(weights.size()) + " layers and " + text_of(biases.size()) + " biases",
                      text_of(layers) + ", one more than hidden");
  }
  made.members.resize(weights[0].ndim() == 3 ? static_cast<std::size_t>(weights[0].shape(0)) : 0);
  for (IndexType l = 0; l < made.shape.layers(); ++l) add_layer(weights, biases, l, made);
  add_bounds(low, high, made);
  return NetworkHandle(std::move(made));
}

py::list weights_of(const NetworkParameters& self) {
  py::list arrays;
  for (IndexType l = 0; l < self.shape.layers(); ++l) {
    py::array_t<float> array(
        {static_cast<IndexType>(self.members.size()), self.shape.layer_outputs(l), self.shape.layer_inputs(l)});
    float* to = array.mutable_data();
    for (const auto& member : self.members) {
      const auto& weights = member.layers[static_cast<std::size_t>(l)].weights;
      Eigen::Map<FloatMatrix>(to, weights.rows(), weights.cols()) = weights;
      to += weights.size();
    }
    arrays.append(array);
  }
  return arrays;
}

py::list biases_of(const NetworkParameters& self) {
  py::list arrays;
  for (IndexType l = 0; l < self.shape.layers(); ++l) {
    py::array_t<float> array({static_cast<IndexType>(self.members.size()), self.shape.layer_outputs(l)});
    float* to = array.mutable_data();
    for (const auto& member : self.members) {
      const auto& bias = member.layers[static_cast<std::size_t>(l)].bias;
      Eigen::Map<Eigen::VectorXf>(to, bias.size()) = bias;
      to += bias.size();
    }
    arrays.append(array);
  }
  return arrays;
}

py::object bounds_of(const NetworkParameters& self, Eigen::VectorXf NetworkMember<float>::* bound) {
  if (!self.shape.probabilistic) return py::none();
  py::array_t<float> array({static_cast<IndexType>(self.members.size()), self.shape.targets()});
  float* to = array.mutable_data();
  for (const auto& member : self.members) {
    Eigen::Map<Eigen::VectorXf>(to, self.shape.targets()) = member.*bound;
    to += self.shape.targets();
  }
  return std::move(array);
}

// Mean, aleatoric and epistemic variances, (N, S) each, and where the network predicts it the mean reward, (N,).
py::tuple predict_rows(const NetworkHandle& self, const py::array& states, const py::array& actions, int threads) {
  const NetworkShape& shape = self.parameters.shape;
  const PythonInterrupt interrupt;
  const StepQuery query = query_of(states, actions, shape.state_dim, shape.action_dim, threads, interrupt);
  const std::array<IndexType, 2> rows{query.count, shape.state_dim};
  py::array_t<double> mean(rows);
  py::array_t<double> aleatoric(rows);
  py::array_t<double> epistemic(rows);
  py::array_t<double> reward(shape.rewards ? query.count : IndexType{0});
  const NetworkMoments out{mean.mutable_data(), aleatoric.mutable_data(), epistemic.mutable_data(),
                           shape.rewards ? reward.mutable_data() : nullptr};
  {
    const py::gil_scoped_release release;
    predict(*self.float64, query, out);
  }
  if (shape.rewards) return py::make_tuple(mean, aleatoric, epistemic, reward);
  return py::make_tuple(mean, aleatoric, epistemic);
}

py::array_t<double> sample_rows(const NetworkHandle& self, const py::array& states, const py::array& actions,
                                std::uint64_t seed, int threads) {
  const NetworkShape& shape = self.parameters.shape;
  const PythonInterrupt interrupt;
  const StepQuery query = query_of(states, actions, shape.state_dim, shape.action_dim, threads, interrupt);
  py::array_t<double> next({query.count, shape.state_dim});
  double* const out = next.mutable_data();
  {
    const py::gil_scoped_release release;
    sample(*self.float64, query, seed, out);
  }
  return next;
}

void bind_numbers(py::class_<NetworkHandle>& bound) {
  using Self = NetworkHandle;
  const auto shape = [&](const char* name, auto member) {
    bound.def_property_readonly(name, [member](const Self& self) { return self.parameters.shape.*member; });
  };
  const auto vector = [&](const char* name, auto member) {
    bound.def_property_readonly(name,
                                [member](const Self& self) { return to_vector(self.parameters.scaling.*member); });
  };
  const auto bounds = [&](const char* name, auto member) {
    bound.def_property_readonly(name, [member](const Self& self) { return bounds_of(self.parameters, member); });
  };
  shape("state_dim", &NetworkShape::state_dim);
  shape("action_dim", &NetworkShape::action_dim);
  shape("angles", &NetworkShape::angles);
  shape("periods", &NetworkShape::periods);
  shape("hidden", &NetworkShape::hidden);
  shape("probabilistic", &NetworkShape::probabilistic);
  shape("rewards", &NetworkShape::rewards);
  vector("input_mean", &NetworkScaling::input_mean);
  vector("input_scale", &NetworkScaling::input_scale);
  vector("target_mean", &NetworkScaling::target_mean);
  vector("target_scale", &NetworkScaling::target_scale);
  bounds("log_variance_low", &NetworkMember<float>::log_variance_low);
  bounds("log_variance_high", &NetworkMember<float>::log_variance_high);
  bound.def_property_readonly("activation", [](const Self& self) { return name_of(self.parameters.shape.activation); })
      .def_property_readonly("members", [](const Self& self) { return self.parameters.members.size(); })
      .def_property_readonly("weights", [](const Self& self) { return weights_of(self.parameters); })
      .def_property_readonly("biases", [](const Self& self) { return biases_of(self.parameters); });
}

}  // namespace

void bind_networks(py::module_& m) {
  py::class_<NetworkHandle> bound(m, "NetworkParameters", py::module_local());
  bound
      .def(py::init(&make), py::arg("state_dim"), py::arg("action_dim"), py::arg("angles"), py::arg("hidden"),
           py::arg("activation"), py::arg("probabilistic"), py::arg("rewards"), py::arg("input_mean"),
           py::arg("input_scale"), py::arg("target_mean"), py::arg("target_scale"), py::arg("weights"),
           py::arg("biases"), py::arg("log_variance_low"), py::arg("log_variance_high"),
           py::arg("periods") = std::vector<double>())
      .def("dynamics", &NetworkHandle::dynamics)
      .def("predict", &predict_rows, py::arg("states"), py::arg("actions"), py::arg("threads"))
      .def("sample", &sample_rows, py::arg("states"), py::arg("actions"), py::arg("seed"), py::arg("threads"));
  bind_numbers(bound);
}

}  // namespace dynaplan::bindings
