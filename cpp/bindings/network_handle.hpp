#pragma once

#include <memory>
#include <utility>

#include "dynaplan/models/network_dynamics.hpp"
#include "handles.hpp"

namespace dynaplan::bindings {

// What Python holds of a network or an ensemble: its numbers, checked, and them packed to run in both precisions.
struct NetworkHandle {
  explicit NetworkHandle(NetworkParameters numbers)
      : parameters(std::move(numbers)),
        float32(std::make_shared<const NetworkDynamics<float>>(parameters)),
        float64(std::make_shared<const NetworkDynamics<double>>(parameters)) {}

  DynamicsHandle dynamics() const { return {float32, float64}; }

  NetworkParameters parameters;
  std::shared_ptr<const NetworkDynamics<float>> float32;
  std::shared_ptr<const NetworkDynamics<double>> float64;
};

}  // namespace dynaplan::bindings
