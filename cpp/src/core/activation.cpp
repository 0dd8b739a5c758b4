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

template <class T>
void activate(Activation activation, ConstBlock<T> x, Block<T> y) {
  with_activation(activation, [&](auto function) {
    for (Index i = 0; i < x.dim; ++i) {
      for (Index k = 0; k < x.lanes; k += kVectorLanes<T>) {
        store_lanes(y.row(i) + k, function.template value<T>(load_lanes(x.row(i) + k)));
      }
    }
  });
}

template <class T>
void multiply_derivative(Activation activation, ConstBlock<T> x, Block<T> gradient) {
  with_activation(activation, [&](auto function) {
    for (Index i = 0; i < x.dim; ++i) {
      for (Index k = 0; k < x.lanes; k += kVectorLanes<T>) {
        T* const target = gradient.row(i) + k;
        store_lanes(target, load_lanes<T>(target) * function.template derivative<T>(load_lanes(x.row(i) + k)));
      }
    }
  });
}

template void activate<float>(Activation, ConstBlock<float>, Block<float>);
template void activate<double>(Activation, ConstBlock<double>, Block<double>);
template void multiply_derivative<float>(Activation, ConstBlock<float>, Block<float>);
template void multiply_derivative<double>(Activation, ConstBlock<double>, Block<double>);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
