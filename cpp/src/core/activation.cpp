#include "dynaplan/core/activation.hpp"

#include "dynaplan/core/error.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

Activation activation_of(const std::string& name) {
  for (const Activation activation : {Activation::kSiLU, Activation::kTanh, Activation::kReLU}) {
    if (name == name_of(activation)) return activation;
  }
  throw ValueError("activation: got \"" + name + R"(", must be "silu", "tanh" or "relu")");
}

const char* name_of(Activation activation) {
  switch (activation) {
    case Activation::kSiLU:
      return "silu";
    case Activation::kTanh:
      return "tanh";
    case Activation::kReLU:
      break;
  }
  return "relu";
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
