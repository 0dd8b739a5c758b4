#include <algorithm>
#include <memory>
#include <vector>

#include "arrays.hpp"
#include "bindings.hpp"
#include "dynaplan/agents/dyna_q.hpp"
#include "dynaplan/agents/maze_run.hpp"
#include "dynaplan/agents/prioritized_sweeping.hpp"
#include "dynaplan/core/check.hpp"
#include "exclusive.hpp"
#include "interrupt.hpp"

namespace dynaplan::bindings {

namespace {

using AgentHandle = Exclusive<std::unique_ptr<TabularAgent>>;
using MazeHandle = Exclusive<Maze>;

// Anything with `__index__`: an int, an integer of NumPy, an array of one without dimensions.
std::int64_t integer(const py::handle& value, const char* name) {
  const auto whole = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
  int overflow = 0;
  const long long number = whole ? PyLong_AsLongLongAndOverflow(whole.ptr(), &overflow) : 0;
  if (!whole) PyErr_Clear();
  if (!whole || overflow != 0) {
    throw_value_error(name, std::string(py::repr(value)), "an integer of 64 bits");
  }
  return number;
}

template <class T>
py::array_t<T> array_of(const std::vector<T>& values) {
  return py::array_t<T>(static_cast<py::ssize_t>(values.size()), values.data());
}

template <class T>
std::vector<T> vector_of(const py::handle& array, const char* name) {
  const auto given = py::reinterpret_borrow<py::array>(array);
  const T* data = input<T>(given, name, {-1});
  return {data, data + given.size()};
}

py::tuple record_of(AgentHandle& self) {
  const TabularRecord record = (*AgentHandle::Use(self))->record();
  return py::make_tuple(array_of(record.values), array_of(record.tried), array_of(record.next_states),
                        array_of(record.rewards), array_of(record.last_tried), array_of(record.queued),
                        array_of(record.priorities), record.steps, record.updates, record.place);
}

void restore(AgentHandle& self, const py::tuple& parts) {
  TabularRecord record;
  record.values = vector_of<double>(parts[0], "values");
  record.tried = vector_of<std::int64_t>(parts[1], "tried");
  record.next_states = vector_of<std::int64_t>(parts[2], "next_states");
  record.rewards = vector_of<double>(parts[3], "rewards");
  record.last_tried = vector_of<std::int64_t>(parts[4], "last_tried");
  record.queued = vector_of<std::int64_t>(parts[5], "queued");
  record.priorities = vector_of<double>(parts[6], "priorities");
  record.steps = parts[7].cast<std::int64_t>();
  record.updates = parts[8].cast<std::int64_t>();
  record.place = parts[9].cast<std::uint64_t>();
  (*AgentHandle::Use(self))->restore(record);
}

py::array_t<double> values(AgentHandle& self) {
  const AgentHandle::Use agent(self);
  const QTable& table = (*agent)->table();
  py::array_t<double> copy({table.states(), table.actions()});
  std::copy_n(table.values(), table.pairs(), copy.mutable_data());
  return copy;
}

py::array_t<std::int64_t> policy(AgentHandle& self) {
  const AgentHandle::Use agent(self);
  const QTable& table = (*agent)->table();
  py::array_t<std::int64_t> actions(table.states());
  for (IndexType state = 0; state < table.states(); ++state) {
    actions.mutable_data()[state] = (*agent)->settings().actions.value_of(table.first_greedy(state));
  }
  return actions;
}

template <class T>
auto setting(T TabularSettings::* member) {
  return [member](AgentHandle& self) { return (*AgentHandle::Use(self))->settings().*member; };
}

void observe(AgentHandle& self, const py::handle& state, const py::handle& action, double reward,
             const py::handle& next_state, bool terminated) {
  const PythonInterrupt interrupt;
  (*AgentHandle::Use(self))
      ->observe(
          {integer(state, "state"), integer(action, "action"), reward, integer(next_state, "next_state"), terminated},
          &interrupt);
}

std::vector<std::uint8_t> cells(const py::object& array, const char* name) {
  if (array.is_none()) return {};
  return vector_of<std::uint8_t>(array, name);
}

std::unique_ptr<MazeHandle> maze(IndexType rows, IndexType columns, IndexType start, const py::array& goals,
                                 const py::array& walls, const py::object& changed_walls, std::int64_t switch_at) {
  return std::make_unique<MazeHandle>("maze",
                                      MazeLayout{rows, columns, start, cells(goals, "goals"), cells(walls, "walls"),
                                                 cells(changed_walls, "changed_walls"), switch_at});
}

py::tuple step(MazeHandle& self, const py::handle& action) {
  const Maze::Step made = MazeHandle::Use(self)->step(integer(action, "action"));
  return py::make_tuple(made.state, made.reward, made.terminated);
}

py::tuple run(MazeHandle& self, AgentHandle& agent, IndexType steps) {
  py::array_t<double> rewards(steps);
  py::array_t<bool> terminations(steps);
  double* const reward = rewards.mutable_data();
  bool* const terminated = terminations.mutable_data();
  {
    const py::gil_scoped_release release;
    run_maze(**AgentHandle::Use(agent), *MazeHandle::Use(self), steps, reward, terminated);
  }
  return py::make_tuple(rewards, terminations);
}

void bind_agents_with_tables(py::module_& m) {
  py::class_<TabularSettings>(m, "TabularSettings", py::module_local())
      .def(py::init([](std::int64_t state_start, IndexType states, std::int64_t action_start, IndexType actions,
                       double learning_rate, double discount, double exploration, IndexType planning_steps,
                       std::uint64_t seed) {
             return TabularSettings{{state_start, states}, {action_start, actions}, learning_rate, discount,
                                    exploration,           planning_steps,          seed};
           }),
           py::arg("state_start"), py::arg("states"), py::arg("action_start"), py::arg("actions"),
           py::arg("learning_rate"), py::arg("discount"), py::arg("exploration"), py::arg("planning_steps"),
           py::arg("seed"));
  py::class_<AgentHandle>(m, "TabularAgent", py::module_local())
      .def(
          "act",
          [](AgentHandle& self, const py::handle& state, bool explore) {
            return (*AgentHandle::Use(self))->act(integer(state, "state"), explore);
          },
          py::arg("state"), py::arg("explore") = true)
      .def("observe", &observe, py::arg("state"), py::arg("action"), py::arg("reward"), py::arg("next_state"),
           py::arg("terminated"))
      .def("values", &values)
      .def("policy", &policy)
      .def("record", &record_of)
      .def("restore", &restore, py::arg("record"))
      .def_property_readonly("learning_rate", setting(&TabularSettings::learning_rate))
      .def_property_readonly("discount", setting(&TabularSettings::discount))
      .def_property_readonly("planning_steps", setting(&TabularSettings::planning_steps))
      .def_property(
          "exploration", setting(&TabularSettings::exploration),
          [](AgentHandle& self, double exploration) { (*AgentHandle::Use(self))->set_exploration(exploration); })
      .def_property_readonly("steps", [](AgentHandle& self) { return (*AgentHandle::Use(self))->steps(); })
      .def_property_readonly("updates", [](AgentHandle& self) { return (*AgentHandle::Use(self))->updates(); });
  m.def(
      "dyna_q",
      [](const TabularSettings& settings) {
        return std::make_unique<AgentHandle>("agent", std::make_unique<DynaQ>(settings));
      },
      py::arg("settings"));
  m.def(
      "dyna_q_plus",
      [](const TabularSettings& settings, double bonus) {
        return std::make_unique<AgentHandle>("agent", std::make_unique<DynaQPlus>(settings, bonus));
      },
      py::arg("settings"), py::arg("bonus"));
  m.def(
      "prioritized_sweeping",
      [](const TabularSettings& settings, double threshold) {
        return std::make_unique<AgentHandle>("agent", std::make_unique<PrioritizedSweeping>(settings, threshold));
      },
      py::arg("settings"), py::arg("threshold"));
}

}  // namespace

void bind_tabular(py::module_& m) {
  bind_agents_with_tables(m);
  py::class_<MazeHandle>(m, "Maze", py::module_local())
      .def(py::init(&maze), py::arg("rows"), py::arg("columns"), py::arg("start"), py::arg("goals"), py::arg("walls"),
           py::arg("changed_walls"), py::arg("switch_at"))
      .def("reset", [](MazeHandle& self) { return MazeHandle::Use(self)->reset(); })
      .def("set_clock_back", [](MazeHandle& self) { MazeHandle::Use(self)->set_clock_back(); })
      .def(
          "restore",
          [](MazeHandle& self, IndexType state, std::int64_t clock) { MazeHandle::Use(self)->restore(state, clock); },
          py::arg("state"), py::arg("clock"))
      .def("step", &step, py::arg("action"))
      .def("run", &run, py::arg("agent"), py::arg("steps"))
      .def_property_readonly("clock", [](MazeHandle& self) { return MazeHandle::Use(self)->clock(); })
      .def_property_readonly("state", [](MazeHandle& self) { return MazeHandle::Use(self)->state(); })
      .def_property_readonly("has_changed", [](MazeHandle& self) { return MazeHandle::Use(self)->has_changed(); });
}

}  // namespace dynaplan::bindings
