#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <type_traits>

#include "dynaplan/models/dynamics.hpp"
#include "dynaplan/rewards/reward.hpp"
#include "dynaplan/rollout/policy.hpp"
#include "dynaplan/terminations/termination.hpp"

namespace dynaplan::bindings {

// What Python holds of a model, a reward or a termination: one object in both precisions. Shared, because a Python
// object may outlive the one it was made from.
//
// `owned` is what must stay alive with them, such as the Python function that they call: the C++ objects only borrow
// it, so that each reference has one owner that the garbage collector knows.
template <template <class> class Kind>
struct Handle {
  std::shared_ptr<const Kind<float>> float32;
  std::shared_ptr<const Kind<double>> float64;
  pybind11::object owned{};

  template <class Show>
  void visit(const Show& show) const {
    show(owned);
  }

  template <class T>
  const Kind<T>* get() const {
    if constexpr (std::is_same_v<T, float>) {
      return float32.get();
    } else {
      return float64.get();
    }
  }
};

using DynamicsHandle = Handle<Dynamics>;
using RewardHandle = Handle<Reward>;
using TerminationHandle = Handle<Termination>;

// A policy as it was when this was made, for any number of calls.
struct PolicyHandle {
  std::shared_ptr<const Policy> policy;
};

}  // namespace dynaplan::bindings
