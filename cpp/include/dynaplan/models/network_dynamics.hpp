#pragma once

#include "dynaplan/models/dynamics.hpp"
#include "dynaplan/networks/network_encoding.hpp"
#include "dynaplan/networks/packed_network.hpp"
#include "dynaplan/networks/row_network.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// s' = s + f(s, a), with f a network or the networks of an ensemble, deterministic or probabilistic.
///
/// A step of one particle runs one member for all trajectories (but for the mean, which takes all of them): with
/// `kTsInf` particle p of P keeps member p K / P of K (with fewer particles than members, p plus a number of the
/// stream, modulo K); otherwise each step deals the members to the particles anew, as evenly as they go.
template <class T>
class NetworkDynamics final : public Dynamics<T> {
 public:
  /// Throws what NetworkParameters::validate throws.
  explicit NetworkDynamics(const NetworkParameters& parameters);

  Index state_dim() const override { return shape_.state_dim; }
  Index action_dim() const override { return shape_.action_dim; }
  Index output_dim() const override { return shape_.targets(); }
  Index members() const override { return static_cast<Index>(members_.size()); }
  std::size_t workspace_bytes(Index lanes) const override;
  void step(ConstBlock<T> state, ConstBlock<T> action, const Draw& draw, Workspace& workspace,
            Block<T> next) const override;
  void disagreement(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace, T* out) const override;

  std::size_t jacobians_workspace_bytes(Index lanes) const override;
  void jacobians(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace, JacobianBlock<T> out) const override;

  /// Of the next states and, if predicted, the reward, in their own units: mean, variance of the noise and variance
  /// of the members' means, (output_dim, K) each (law of total variance: their sum is the variance of the mixture).
  /// Only the first `wanted` lanes count.
  void moments(ConstBlock<T> state, ConstBlock<T> action, Index wanted, Workspace& workspace, Block<T> mean,
               Block<T> aleatoric, Block<T> epistemic) const;

  /// A draw of each lane's own from the mixture into `next` (output_dim, K): a member, then that member's noise. Runs
  /// all members, unlike a step.
  void sample(ConstBlock<T> state, ConstBlock<T> action, const Stream& stream, Index first_candidate,
              Workspace& workspace, Block<T> next) const;

  /// The member that a step of a particle runs.
  Index member_of(const Draw& draw) const;

 private:
  ConstBlock<T> encoded(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace) const;
  void run(std::size_t member, ConstBlock<T> inputs, Index wanted, Workspace& workspace, Block<T> mean,
           const Block<T>* variance) const;
  void mean_of_members(ConstBlock<T> inputs, Index wanted, Workspace& workspace, Block<T> mean) const;
  void spread_of_members(ConstBlock<T> inputs, Index wanted, const std::vector<T>& units, Workspace& workspace,
                         Block<T> mean, Block<T> variance, const Block<T>* noise) const;
  void add_gradient(const PackedNetwork<T>& member, Index target, ConstBlock<T> inputs, ConstBlock<T> slopes,
                    Workspace& workspace, JacobianBlock<T> out) const;
  void draw_next(std::size_t member, ConstBlock<T> inputs, const Draw& draw, Workspace& workspace, Block<T> next) const;

  NetworkShape shape_;
  NetworkEncoding<T> encoding_;
  std::vector<PackedNetwork<T>> members_;
  std::vector<RowNetwork<T>> rows_;         // the same members once more
  std::vector<T> target_units_;             // (S), that disagreement is measured in
  std::vector<T> inverse_target_variance_;  // (S), in those
};

extern template class NetworkDynamics<float>;
extern template class NetworkDynamics<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
