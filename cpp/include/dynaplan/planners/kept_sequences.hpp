#pragma once

#include <vector>

#include "dynaplan/planners/planner.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Action sequences that join a population as they are: elites kept, or what the caller brings. Keeps its memory.
template <class T>
class KeptSequences {
 public:
  /// Takes over what the caller brings, within the bounds; the steps it lacks are left as they are drawn.
  void begin(const PlanProblemOf<T>& problem, Index horizon);

  /// Room for `count` whole sequences (count, H * A), to be filled.
  T* keep(Index count);

  void clear() { count_ = 0; }
  Index count() const { return count_; }

  /// Writes itself over the candidates from number `drawn` on, as far as they are in this block, whose first one's
  /// number is `first`.
  void write(Index drawn, Index first, Block<T> actions) const;

 private:
  std::vector<T> actions_;  // (count, H * A)
  Index size_ = 0;          // of a sequence, H * A
  Index count_ = 0;
  Index given_ = 0;  // entries of each that are given
};

extern template class KeptSequences<float>;
extern template class KeptSequences<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
