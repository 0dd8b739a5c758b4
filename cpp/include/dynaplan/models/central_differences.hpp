#pragma once

#include "dynaplan/models/dynamics.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Scratch of one `central_differences` of `lanes` trajectories, that of the dynamics included.
template <class T>
std::size_t central_differences_bytes(const Dynamics<T>& dynamics, Index lanes);

/// `Dynamics::jacobians` of dynamics without derivatives of their own: each input is moved by cbrt(epsilon) of its
/// size, or of 1 where it is smaller, to either side (Nocedal and Wright 2006, sec. 8.1). One call of `step`, with 1 +
/// 2 (S + A) times the lanes.
template <class T>
void central_differences(const Dynamics<T>& dynamics, ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace,
                         JacobianBlock<T> out);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
