#pragma once

#include <vector>

#include "dynaplan/networks/network_encoding.hpp"
#include "dynaplan/networks/packed_network.hpp"
#include "dynaplan/terminations/termination.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Ends where networks that saw the next states of logged steps give the end a probability above a threshold, by the
/// mean of their log-odds; a state that is nan has ended.
///
/// They are those of `fit_networks` with `classify`: their states are the next states, their one action is always 0,
/// and their reward are the log-odds of an end.
template <class T>
class LearnedTermination final : public Termination<T> {
 public:
  /// `threshold` is a probability. Throws ShapeError, ValueError.
  LearnedTermination(const NetworkParameters& networks, double threshold);
  std::size_t workspace_bytes(Index lanes) const override;
  void mark(const StepView<T>& view, Workspace& workspace, T* alive) const override;
  void require_dims(Index state_dim, Index action_dim) const override;
  void add_jumps(Jumps& jumps) const override;

 private:
  Index state_dim_;
  NetworkEncoding<T> encoding_;
  std::vector<PackedNetwork<T>> members_;
  T threshold_;  // of the sum of the members' log-odds
};

extern template class LearnedTermination<float>;
extern template class LearnedTermination<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
