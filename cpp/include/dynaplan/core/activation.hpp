#pragma once

#include <string>

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// What a network applies between its layers. Everything that knows one activation from another is in this header and
/// its source.
enum class Activation { kSiLU, kTanh, kReLU };

/// "silu", "tanh", "relu"; throws ValueError for another name.
Activation activation_of(const std::string& name);
const char* name_of(Activation activation);

/// y = f(x) on whole rows; `y` may be `x`.
template <class T>
void activate(Activation activation, ConstBlock<T> x, Block<T> y);

/// `gradient` *= f'(x), with x the input of the activation.
template <class T>
void multiply_derivative(Activation activation, ConstBlock<T> x, Block<T> gradient);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
