#pragma once

#include <limits>
#include <string>

#include "dynaplan/models/dynamics.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// What makes one number of the returns of a candidate's particles.
enum class Reduction {
  kMean,
  kCvar,              // the mean of the worst `parameter` of them, a share (Rockafellar and Uryasev 2000)
  kWorst,             // the smallest
  kEpistemicPenalty,  // the mean less `parameter` standard deviations of the members' mean returns
};

struct Risk {
  Reduction reduction = Reduction::kMean;
  double parameter = 1.0;
};

/// How many trajectories stand for each candidate, how they spread, and how their returns are reduced to one.
struct Particles {
  Propagation propagation = Propagation::kMean;
  Index count = 1;
  Risk risk;

  /// Throws ValueError where these do not fit each other.
  void validate() const;
  /// Throws ValueError where these do not fit a model of `members` networks.
  void require_members(Index members) const;
};

/// The propagation of this name: "mean", "sample", "ts1", "tsinf" or "moment". Throws ValueError.
Propagation propagation_of(const std::string& name);

/// The reduction of this name: "mean", "cvar", "worst" or "epistemic_penalty". Throws ValueError.
Reduction reduction_of(const std::string& name);

/// One number of the `count` returns of a candidate; their order may change. Not finite if one of them is not;
/// -infinity where some are and the others are finite.
template <class T>
T reduce(const Risk& risk, Index members, T* returns, Index count);

enum class OnExceeding {
  kReject,  // the candidate's return is -infinity
  kStop,    // the particle stays where it is and gets no reward from that step on
};

/// How far a model is trusted: a particle exceeds the limit at the first step on whose state and action the members
/// disagree by more than `limit`.
struct DisagreementLimit {
  double limit = std::numeric_limits<double>::infinity();
  OnExceeding on_exceeding = OnExceeding::kReject;

  /// Throws ValueError unless the limit is a number that is not negative.
  void validate() const;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
