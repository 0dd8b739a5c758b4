#pragma once

#include <cstddef>

#include "dynaplan/core/random.hpp"
#include "dynaplan/core/workspace.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The randomness of one step of one block: which numbers, and whether the model's noise is wanted at all.
struct Draw {
  Stream stream;
  Index first_candidate = 0;
  Index step = 0;
  bool sample = false;
};

/// How states follow from states and actions. Immutable once built, const and thread-safe; final classes below.
template <class T>
class Dynamics {
 public:
  virtual ~Dynamics() = default;
  virtual Index state_dim() const = 0;
  virtual Index action_dim() const = 0;

  /// Scratch that one `step` of `lanes` trajectories takes.
  virtual std::size_t workspace_bytes(Index lanes) const = 0;

  /// `state` (S, K) and `action` (A, K) to `next` (S, K), which aliases neither.
  virtual void step(ConstBlock<T> state, ConstBlock<T> action, const Draw& draw, Workspace& workspace,
                    Block<T> next) const = 0;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
