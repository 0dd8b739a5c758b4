#include <pybind11/stl.h>

#include <atomic>
#include <limits>

#include "arrays.hpp"
#include "bindings.hpp"
#include "dynaplan/fit/network_fit.hpp"
#include "network_handle.hpp"
#include "watch.hpp"

namespace dynaplan::bindings {

namespace {

// Calls Python on the thread that called `fit`.
class PythonObserver final : public FitObserver {
 public:
  PythonObserver(const py::object& progress, Watch& watch) : progress_(progress), watch_(watch) {}

  void epoch_done(Index epoch, const std::vector<double>& training, const std::vector<double>& held_out) override {
    if (progress_.is_none()) return;
    watch_.on_caller([&] {
      try {
        progress_(epoch, to_vector(Eigen::Map<const Eigen::VectorXd>(training.data(), size(training))),
                  to_vector(Eigen::Map<const Eigen::VectorXd>(held_out.data(), size(held_out))));
      } catch (const py::error_already_set& error) {
        if (!error.matches(PyExc_KeyboardInterrupt)) throw;
        interrupted_ = true;
      }
    });
  }

  bool wants_stop() override { return interrupted_ || watch_.interrupt().requested(); }

 private:
  static Index size(const std::vector<double>& values) { return static_cast<Index>(values.size()); }

  const py::object& progress_;
  Watch& watch_;
  std::atomic<bool> interrupted_{false};  // by a Ctrl-C that came while `progress` ran
};

// Arrays (rows, columns) of transitions; `rewards` may be None.
NetworkData data_of(const NetworkShape& shape, const py::tuple& arrays) {
  const auto states = arrays[0].cast<py::array>();
  NetworkData data;
  data.states = input<double>(states, "states", {-1, shape.state_dim});
  data.count = states.shape(0);
  data.actions = input<double>(arrays[1].cast<py::array>(), "actions", {data.count, shape.action_dim});
  data.next_states = input<double>(arrays[2].cast<py::array>(), "next_states", {data.count, shape.state_dim});
  if (shape.rewards) data.rewards = input<double>(arrays[3].cast<py::array>(), "rewards", {data.count});
  return data;
}

// (epochs, members), nan where a member had stopped.
py::array_t<double> losses(const NetworkFit& fit, std::vector<double> MemberHistory::* kind) {
  IndexType epochs = 0;
  for (const MemberHistory& member : fit.history) {
    epochs = std::max(epochs, static_cast<IndexType>(member.training.size()));
  }
  const auto members = static_cast<IndexType>(fit.history.size());
  Eigen::MatrixXd table = Eigen::MatrixXd::Constant(epochs, members, std::numeric_limits<double>::quiet_NaN());
  for (IndexType m = 0; m < members; ++m) {
    const std::vector<double>& values = fit.history[static_cast<std::size_t>(m)].*kind;
    for (std::size_t e = 0; e < values.size(); ++e) table(static_cast<IndexType>(e), m) = values[e];
  }
  return to_array(table);
}

py::tuple fit(const py::tuple& training, const py::object& held_out, IndexType members, std::vector<IndexType> hidden,
              const std::string& activation, bool probabilistic, std::vector<IndexType> angles, bool rewards,
              const NetworkFitSettings& settings, const NetworkHandle* initial, const py::object& progress,
              std::vector<double> periods) {
  const NetworkShape shape{training[0].cast<py::array>().shape(1),
                           training[1].cast<py::array>().shape(1),
                           std::move(angles),
                           std::move(hidden),
                           activation_of(activation),
                           probabilistic,
                           rewards,
                           std::move(periods)};
  const NetworkData rows = data_of(shape, training);
  const NetworkData kept_back = held_out.is_none() ? NetworkData{} : data_of(shape, held_out.cast<py::tuple>());
  Watch watch;
  PythonObserver observer(progress, watch);
  NetworkFit result;
  try {
    watch.run([&] {
      result = fit_networks(shape, members, rows, kept_back, settings,
                            initial == nullptr ? nullptr : &initial->parameters, &observer);
    });
  } catch (const py::error_already_set& error) {
    // Ctrl-C means: enough, keep what is learnt. Whatever else a signal handler raises is raised.
    if (!error.matches(PyExc_KeyboardInterrupt)) throw;
  }
  std::vector<IndexType> best;
  best.reserve(result.history.size());
  for (const MemberHistory& member : result.history) best.push_back(member.best_epoch);
  const py::array_t<double> training_losses = losses(result, &MemberHistory::training);
  const py::array_t<double> held_out_losses = losses(result, &MemberHistory::held_out);
  return py::make_tuple(NetworkHandle(std::move(result.parameters)), training_losses, held_out_losses, best,
                        result.interrupted);
}

}  // namespace

void bind_training(py::module_& m) {
  using Settings = NetworkFitSettings;
  py::class_<Settings>(m, "NetworkFitSettings", py::module_local())
      .def(py::init([](IndexType epochs, IndexType batch_size, double learning_rate, std::vector<double> weight_decay,
                       IndexType patience, double improvement, IndexType warm_up, bool robust, bool bootstrap,
                       std::uint64_t seed, int threads, bool classify, std::vector<IndexType> folds) {
             return Settings{epochs,          batch_size,  learning_rate, std::move(weight_decay),
                             patience,        improvement, warm_up,       robust,
                             bootstrap,       seed,        threads,       classify,
                             std::move(folds)};
           }),
           py::kw_only(), py::arg("epochs"), py::arg("batch_size"), py::arg("learning_rate"), py::arg("weight_decay"),
           py::arg("patience"), py::arg("improvement"), py::arg("warm_up"), py::arg("robust"), py::arg("bootstrap"),
           py::arg("seed"), py::arg("threads"), py::arg("classify") = false,
           py::arg("folds") = std::vector<IndexType>());
  m.def("fit_networks", &fit, py::arg("training"), py::arg("held_out"), py::kw_only(), py::arg("members"),
        py::arg("hidden"), py::arg("activation"), py::arg("probabilistic"), py::arg("angles"), py::arg("rewards"),
        py::arg("settings"), py::arg("initial"), py::arg("progress"), py::arg("periods") = std::vector<double>());
}

}  // namespace dynaplan::bindings
