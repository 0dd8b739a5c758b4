#pragma once

#include <optional>

#include "arrays.hpp"
#include "dynaplan/rollout/rollout.hpp"

namespace dynaplan::bindings {

// None, or a pair of float64 vectors: the lowest and the highest state.
template <class T>
std::optional<StateLimits<T>> limits_of(const py::object& limits) {
  if (limits.is_none()) return std::nullopt;
  const auto pair = limits.cast<py::tuple>();
  StateLimits<T> bounds;
  for (const double value : vector_input(pair[0].cast<py::array>(), "clip low")) {
    bounds.low.push_back(static_cast<T>(value));
  }
  for (const double value : vector_input(pair[1].cast<py::array>(), "clip high")) {
    bounds.high.push_back(static_cast<T>(value));
  }
  return bounds;
}

}  // namespace dynaplan::bindings
