#include <pybind11/stl.h>

#include <exception>
#include <mutex>

#include "arrays.hpp"
#include "bindings.hpp"
#include "dynaplan/agents/sac.hpp"
#include "dynaplan/agents/squashed_gaussian_policy.hpp"
#include "dynaplan/core/check.hpp"
#include "handles.hpp"
#include "watch.hpp"

namespace dynaplan::bindings {

namespace {

// An agent that one thread at a time may use. A second caller gets an error instead of waiting: a signal handler
// that waited for the call it interrupts would never return.
class SacHandle {
 public:
  SacHandle(const SacShape& shape, const ActionBox& box, const SacSettings& settings) : agent_(shape, box, settings) {}

  // Without the GIL, which a long call must not hold.
  template <class Use>
  auto use(const Use& use) {
    const py::gil_scoped_release release;
    return use_unlocked(use);
  }

  // The same where the GIL has been released already.
  template <class Use>
  auto use_unlocked(const Use& use) {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock) throw ValueError("agent: in use by another thread; call it from one thread at a time");
    return use(agent_);
  }

  const Sac& settings_of() const { return agent_; }  // what never changes

 private:
  std::mutex mutex_;
  Sac agent_;
};

// Whether one update takes longer than a signal should wait; it asks nobody meanwhile.
bool takes_long(const SacSettings& settings, const SacShape& shape) {
  constexpr double kOperations = 1e8;  // some 50 ms, passes of all networks together
  double weights = 0.0;
  for (const std::vector<IndexType>& sizes : {shape.actor_sizes(), shape.critic_sizes()}) {
    for (std::size_t i = 0; i + 1 < sizes.size(); ++i) weights += static_cast<double>(sizes[i] * sizes[i + 1]);
  }
  return weights * static_cast<double>(settings.batch_size) > kOperations;
}

TransitionRows rows_of(const Sac& agent, const py::array& states, const py::array& actions, const py::array& rewards,
                       const py::array& next_states, const py::array& terminated) {
  const SacShape& shape = agent.shape();
  TransitionRows rows;
  rows.states = input<double>(states, "states", {-1, shape.state_dim});
  rows.count = states.shape(0);
  rows.actions = input<double>(actions, "actions", {rows.count, shape.action_dim});
  rows.rewards = input<double>(rewards, "rewards", {rows.count});
  rows.next_states = input<double>(next_states, "next_states", {rows.count, shape.state_dim});
  rows.terminated = input<bool>(terminated, "terminated", {rows.count});
  return rows;
}

py::tuple update(SacHandle& handle, IndexType count) {
  SacStatistics means;
  std::exception_ptr raised;
  const Sac& settings = handle.settings_of();
  const auto make_updates = [&](const Interrupt& interrupt) {
    handle.use_unlocked([&](Sac& agent) {
      // What a signal handler raises waits for the end of the update: the agent stays whole.
      means = agent.update(count, [&] {
        try {
          return interrupt.requested();
        } catch (...) {
          raised = std::current_exception();
          return true;
        }
      });
    });
  };
  run_watched(takes_long(settings.settings(), settings.shape()), make_updates);
  if (raised) std::rethrow_exception(raised);
  return py::make_tuple(means.updates, means.critic_loss, means.actor_loss, means.value, means.entropy,
                        means.temperature);
}

py::array_t<double> act(SacHandle& handle, const py::array& states, bool deterministic) {
  const SacShape& shape = handle.settings_of().shape();
  const double* rows = input<double>(states, "states", {-1, shape.state_dim});
  const IndexType count = states.shape(0);
  py::array_t<double> actions({count, shape.action_dim});
  double* out = actions.mutable_data();
  const PythonInterrupt interrupt;
  handle.use([&](Sac& agent) { agent.act(rows, count, deterministic, out, &interrupt); });
  return actions;
}

py::array_t<double> explore(SacHandle& handle, IndexType count) {
  require_at_least("count", count, 0);
  py::array_t<double> actions({count, handle.settings_of().shape().action_dim});
  double* out = actions.mutable_data();
  handle.use([&](Sac& agent) { agent.explore(count, out); });
  return actions;
}

// Samples in rows.
py::array_t<float> gathered(const std::vector<SacBatch<float>>& batches, IndexType samples,
                            Block<float> SacBatch<float>::* part) {
  const IndexType dim = (batches.front().*part).dim;
  py::array_t<float> rows({samples, dim});
  for (IndexType k = 0; k < samples; ++k) {
    const Block<float> block = batches[static_cast<std::size_t>(k / kMaxLanes)].*part;
    for (IndexType i = 0; i < dim; ++i) rows.mutable_at(k, i) = block.row(i)[k % kMaxLanes];
  }
  return rows;
}

py::dict next_batch(SacHandle& handle) {
  return handle.use([](Sac& agent) {
    using Batch = SacBatch<float>;
    const std::vector<Batch> batches = agent.next_batch();
    const py::gil_scoped_acquire acquire;
    py::dict batch;
    const auto put = [&](const char* name, Block<float> Batch::* part) {
      batch[name] = gathered(batches, agent.settings().batch_size, part);
    };
    put("states", &Batch::states);
    put("actions", &Batch::actions);
    put("rewards", &Batch::rewards);
    put("terminated", &Batch::terminated);
    put("next_states", &Batch::next_states);
    put("next_noise", &Batch::next_noise);
    put("noise", &Batch::noise);
    return batch;
  });
}

// The networks' numbers by the names they have in files; those of one network follow one another layer by layer.
template <class Use>
void for_numbers(SacNetworks<float>& networks, const Use& use) {
  const auto learned = [&](const std::string& name, LearnedNetwork<float>& network) {
    use(name, network.layout, network.parameters);
    use(name + ".first_moment", network.layout, network.first);
    use(name + ".second_moment", network.layout, network.second);
    if (network.target.size() > 0) use(name + ".target", network.layout, network.target);
  };
  learned("actor", networks.actor);
  learned("critic_0", networks.critics[0]);
  learned("critic_1", networks.critics[1]);
}

py::dict numbers(SacHandle& handle) {
  return handle.use([](Sac& agent) {
    const py::gil_scoped_acquire acquire;
    py::dict found;
    for_numbers(agent.networks(), [&](const std::string& name, const auto& layout, const Numbers<float>& values) {
      const std::vector<float> flat = without_padding(layout, values);
      found[py::str(name)] = py::array_t<float>(static_cast<IndexType>(flat.size()), flat.data());
    });
    return found;
  });
}

void set_numbers(SacHandle& handle, const py::dict& given) {
  handle.use([&](Sac& agent) {
    const py::gil_scoped_acquire acquire;
    for_numbers(agent.networks(), [&](const std::string& name, const auto& layout, Numbers<float>& values) {
      const auto size = static_cast<IndexType>(without_padding(layout, values).size());
      const float* flat = input<float>(given[py::str(name)].template cast<py::array>(), name.c_str(), {size});
      values = with_padding(layout, std::vector<float>(flat, flat + size));
    });
  });
}

// Temperature's logarithm, its moments; updates; draws.
py::tuple counters(SacHandle& handle) {
  return handle.use([](const Sac& agent) {
    const py::gil_scoped_acquire acquire;
    const Temperature& temperature = agent.networks().temperature;
    return py::make_tuple(temperature.logarithm, temperature.first, temperature.second, agent.networks().updates,
                          agent.draws());
  });
}

void set_counters(SacHandle& handle, double logarithm, double first, double second, IndexType updates,
                  std::uint64_t draws) {
  handle.use([&](Sac& agent) {
    require_at_least("updates", updates, 0);
    agent.networks().temperature = {logarithm, first, second};
    agent.networks().updates = updates;
    agent.set_draws(draws);
  });
}

TransitionStore& store_of(Sac& agent, bool imagined) { return imagined ? agent.imagined() : agent.real(); }

// The rows of a store (size, width) as they lie, and where the next one goes.
py::tuple transitions(SacHandle& handle, bool imagined) {
  return handle.use([&](Sac& agent) {
    const TransitionStore& store = store_of(agent, imagined);
    const py::gil_scoped_acquire acquire;
    py::array_t<float> rows({store.size(), store.width()});
    store.copy_to(rows.mutable_data());
    return py::make_tuple(rows, store.next());
  });
}

void set_transitions(SacHandle& handle, bool imagined, const py::array& rows, IndexType next) {
  const IndexType width = handle.settings_of().real().width();
  const float* data = input<float>(rows, "rows", {-1, width});
  const IndexType size = rows.shape(0);
  handle.use([&](Sac& agent) { store_of(agent, imagined).restore(data, size, next); });
}

void bind_settings(py::module_& m) {
  using Settings = SacSettings;
  py::class_<Settings>(m, "SacSettings", py::module_local())
      .def(py::init([](double learning_rate, IndexType batch_size, double tau, double discount, double target_entropy,
                       double temperature, bool learns_temperature, double real_ratio, IndexType buffer_size,
                       IndexType imagined_buffer_size, std::uint64_t seed, int threads) {
             return Settings{learning_rate,
                             batch_size,
                             tau,
                             discount,
                             target_entropy,
                             temperature,
                             learns_temperature,
                             real_ratio,
                             buffer_size,
                             imagined_buffer_size,
                             seed,
                             threads};
           }),
           py::kw_only(), py::arg("learning_rate"), py::arg("batch_size"), py::arg("tau"), py::arg("discount"),
           py::arg("target_entropy"), py::arg("temperature"), py::arg("learns_temperature"), py::arg("real_ratio"),
           py::arg("buffer_size"), py::arg("imagined_buffer_size"), py::arg("seed"), py::arg("threads"));
}

void bind_replay(py::class_<SacHandle>& type) {
  type.def(
          "observe",
          [](SacHandle& handle, const py::array& states, const py::array& actions, const py::array& rewards,
             const py::array& next_states, const py::array& terminated) {
            const Sac& agent = handle.settings_of();
            const TransitionRows rows = rows_of(agent, states, actions, rewards, next_states, terminated);
            handle.use([&](Sac& owned) { owned.observe(rows); });
          },
          py::arg("states"), py::arg("actions"), py::arg("rewards"), py::arg("next_states"), py::arg("terminated"))
      .def(
          "observe_imagined",
          [](SacHandle& handle, const py::array& states, const py::array& actions, const py::array& rewards,
             const py::array& next_states, const py::array& terminated, bool replace) {
            const Sac& agent = handle.settings_of();
            const TransitionRows rows = rows_of(agent, states, actions, rewards, next_states, terminated);
            handle.use([&](Sac& owned) { owned.observe_imagined(rows, replace); });
          },
          py::arg("states"), py::arg("actions"), py::arg("rewards"), py::arg("next_states"), py::arg("terminated"),
          py::arg("replace"))
      .def("resize_imagined", [](SacHandle& handle, IndexType capacity) {
        handle.use([&](Sac& agent) { agent.imagined().resize(capacity); });
      });
}

}  // namespace

void bind_sac(py::module_& m) {
  bind_settings(m);
  py::class_<SacHandle> type(m, "Sac", py::module_local());
  type.def(py::init([](IndexType state_dim, std::vector<IndexType> hidden, const std::string& activation,
                       const py::array& low, const py::array& high, const SacSettings& settings) {
             const ActionBox box{vector_input(low, "low"), vector_input(high, "high")};
             const SacShape shape{state_dim, box.dim(), std::move(hidden), activation_of(activation)};
             return std::make_unique<SacHandle>(shape, box, settings);
           }),
           py::kw_only(), py::arg("state_dim"), py::arg("hidden"), py::arg("activation"), py::arg("low"),
           py::arg("high"), py::arg("settings"));
  bind_replay(type);
  type.def("update", &update, py::arg("count"))
      .def("act", &act, py::arg("states"), py::arg("deterministic"))
      .def("explore", &explore, py::arg("count"))
      .def("policy",
           [](SacHandle& handle) {
             return handle.use(
                 [](const Sac& agent) { return PolicyHandle{std::make_shared<const SquashedGaussianPolicy>(agent)}; });
           })
      .def("next_batch", &next_batch)
      .def("numbers", &numbers)
      .def("set_numbers", &set_numbers, py::arg("numbers"))
      .def("counters", &counters)
      .def("set_counters", &set_counters, py::arg("logarithm"), py::arg("first"), py::arg("second"), py::arg("updates"),
           py::arg("draws"))
      .def("transitions", &transitions, py::arg("imagined"))
      .def("set_transitions", &set_transitions, py::arg("imagined"), py::arg("rows"), py::arg("next"))
      .def("sizes", [](SacHandle& handle) {
        return handle.use([](Sac& agent) {
          const py::gil_scoped_acquire acquire;
          return py::make_tuple(agent.real().size(), agent.imagined().size());
        });
      });
}

}  // namespace dynaplan::bindings
