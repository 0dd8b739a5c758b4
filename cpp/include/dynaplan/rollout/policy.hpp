#pragma once

#include "dynaplan/core/random.hpp"
#include "dynaplan/core/workspace.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// How actions are drawn for states, a block at a time. Immutable once built, const and thread-safe.
class Policy {
 public:
  virtual ~Policy() = default;
  virtual Index state_dim() const = 0;
  virtual Index action_dim() const = 0;
  /// Scratch that one `act` of `lanes` states takes.
  virtual std::size_t workspace_bytes(Index lanes) const = 0;
  /// For `state` (S, K) into `action` (A, K), in the environment's own units. Random numbers are those of the stream
  /// for Purpose::kActions, candidates from `first_candidate` on, rows below `normal_rows(A)`.
  virtual void act(ConstBlock<float> state, const Stream& stream, Index first_candidate, Workspace& workspace,
                   Block<float> action) const = 0;

  /// The same for numbers of another type, rounded to float32 and back.
  void act(ConstBlock<double> state, const Stream& stream, Index first_candidate, Workspace& workspace,
           Block<double> action) const;
  /// Scratch of either.
  std::size_t bytes_in_either_type(Index lanes) const;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
