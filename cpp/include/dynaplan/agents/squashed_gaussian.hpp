#pragma once

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A policy's distribution of actions in [-1, 1]: a = tanh(u), u normal with mean m and standard deviation e^l, where
/// [m; l] are the outputs of a network, l kept from -20 to 2 (Haarnoja et al. 2018, "Soft actor-critic", appendix C).
/// The density's factor 1 - tanh(u)^2 is taken as a logarithm of u, which neither overflows nor needs a small number
/// added: ln(1 - tanh(u)^2) = 2 (ln 2 - |u| - ln(1 + e^(-2|u|))).
inline constexpr double kMinLogDeviation = -20.0;
inline constexpr double kMaxLogDeviation = 2.0;

/// `actions` (A, K) from `outputs` (2 A, K) and standard normals `noise` (A, K), and the logarithms of their densities
/// `log_prob` (K).
template <class T>
void sample_squashed_gaussian(ConstBlock<T> outputs, ConstBlock<T> noise, Block<T> actions, T* log_prob);

/// The most likely direction: tanh(m).
template <class T>
void mode_of_squashed_gaussian(ConstBlock<T> outputs, Block<T> actions);

/// From the derivatives of a loss by the actions (A, K) and by each log_prob (the same in all lanes) to those by the
/// outputs (2 A, K), with the noise held fixed. `actions` are what `sample_squashed_gaussian` gave.
template <class T>
void squashed_gaussian_gradient(ConstBlock<T> outputs, ConstBlock<T> noise, ConstBlock<T> actions,
                                ConstBlock<T> by_actions, T by_log_prob, Block<T> by_outputs);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
