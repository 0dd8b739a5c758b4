#pragma once

#include "dynaplan/models/dynamics.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The states of all particles after one step: particle p's are those of `first`, `apart` rows further on for each.
template <class T>
struct ParticleStates {
  Block<T> first;
  Index apart = 0;

  Block<T> of(Index particle) const { return {first.row(particle * apart), first.dim, first.lanes, first.stride}; }
};

/// Scratch of one `match_moments`.
template <class T>
std::size_t match_moments_bytes(Index state_dim, Index lanes);

/// Replaces the particles of each lane by draws from the Gaussian of their mean and variance, each state apart (Chua et
/// al. 2018, sec. 5). Where `alive` (P, K) has data, particles that are not are left out of both and stay.
/// Angles are taken the short way round from one of the particles, and brought into their ranges again.
template <class T>
void match_moments(const ParticleStates<T>& states, ConstBlock<T> alive, const Angles* angles, const Draw& draw,
                   Workspace& workspace);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
