#pragma once

#include <cstddef>
#include <optional>

#include "dynaplan/core/random.hpp"
#include "dynaplan/core/workspace.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// How a distribution of next states is carried from step to step (Chua et al. 2018, sec. 5).
enum class Propagation {
  kMean,    // the mean prediction, of all members
  kSample,  // a draw from the predictive distribution
  kTs1,     // a draw from one member, a member drawn anew for each particle and step
  kTsInf,   // a draw from one member, the same for each particle's whole life
  kMoment,  // a draw, then the particles replaced by draws from the Gaussian of their mean and variance
};

/// The randomness of one step of one block of one particle: which numbers, and what they are wanted for.
struct Draw {
  Stream stream;
  Index first_candidate = 0;
  Index step = 0;
  Propagation propagation = Propagation::kMean;
  Index particle = 0;
  Index particles = 1;
};

/// s' = A s + B a + c.
struct LinearTerms {
  Eigen::MatrixXd state;     // A (S, S)
  Eigen::MatrixXd action;    // B (S, A)
  Eigen::VectorXd constant;  // c (S)
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

  /// The mean of a step, where it is linear.
  virtual std::optional<LinearTerms> linear_terms() const { return std::nullopt; }
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
