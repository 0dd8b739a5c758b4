#pragma once

#include "dynaplan/models/dynamics.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The member, below `members`, that a particle keeps throughout: particles in order share out the members
/// evenly, and where there are fewer particles than members, the stream determines where they start.
Index lasting_member(const Draw& draw, Index members);

/// The member that a particle gets in this step alone: each step deals the members afresh, at random and as evenly as
/// they go. A function of (stream, step, particle): the same for all trajectories, so that a block runs one member.
Index dealt_member(const Draw& draw, Index members);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
