#pragma once

#include <vector>

#include "dynaplan/rewards/expansion.hpp"
#include "dynaplan/rewards/reward.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A path of straight lines between points, of some entries of a state.
struct EntryPath {
  std::vector<Index> entries;
  Eigen::MatrixXd points;  // (n, M), at least one
};

/// Where on a path the point nearest to another is.
template <class T>
struct PathPlace {
  T distance = T(0);
  T length = T(0);               // of the path up to there
  bool is_within = false;        // a line, not beyond its ends, where the nearest point does not move
  const T* gap = nullptr;        // (n) from there to the other point
  const T* direction = nullptr;  // (n) of the line, of length 1
};

/// The geometry of such a path, for the terms that look at it.
template <class T>
class Polyline {
 public:
  /// Throws ShapeError, ValueError.
  explicit Polyline(const EntryPath& path);

  /// Each lane's squared distance from the path, (K), and, where `lengths` is not null, the path's length up to the
  /// nearest point, (K). A nan is nowhere: so is its distance.
  void nearest(ConstBlock<T> state, Workspace& workspace, T* squared, T* lengths) const;
  std::size_t nearest_bytes(Index lanes) const { return 2 * Workspace::bytes<T>(lanes); }
  /// The same of one state, in arrays of the workspace.
  PathPlace<T> nearest(const T* state, Workspace& workspace) const;
  std::size_t place_bytes() const { return 2 * Workspace::bytes<T>(static_cast<Index>(entries_.size())); }

  const std::vector<Index>& entries() const { return entries_; }
  /// Throws ShapeError unless all entries are there.
  void require_state_dim(Index state_dim) const;

 private:
  struct Line {
    T length;
    T length_before;  // of the lines before it
    T over_squared;   // 1 over its squared length; 0 where it has none
  };

  void nearest_of_line(std::size_t number, ConstBlock<T> state, T* share, T* squared) const;

  std::vector<Index> entries_;
  std::vector<Line> lines_;  // one of no length where there is one point
  std::vector<T> begins_;    // (lines, n)
  std::vector<T> ways_;      // (lines, n) from there to its end
};

extern template class Polyline<float>;
extern template class Polyline<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
