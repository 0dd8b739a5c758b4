#pragma once

#include <vector>

#include "dynaplan/agents/sac.hpp"
#include "dynaplan/networks/affine.hpp"
#include "dynaplan/rollout/policy.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A soft actor-critic's policy as it is when this is made, ready to run on blocks.
class SquashedGaussianPolicy final : public Policy {
 public:
  explicit SquashedGaussianPolicy(const Sac& agent);

  Index state_dim() const override { return layers_.front().inputs(); }
  Index action_dim() const override { return static_cast<Index>(low_.size()); }
  std::size_t workspace_bytes(Index lanes) const override;
  void act(ConstBlock<float> state, const Stream& stream, Index first_candidate, Workspace& workspace,
           Block<float> action) const override;

 private:
  std::vector<PackedAffine<float>> layers_;
  Activation activation_;
  Index widest_ = 0;
  std::vector<float> centre_;
  std::vector<float> half_range_;
  std::vector<float> low_;  // no float32 beyond the box, whose ends need not be such numbers
  std::vector<float> high_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
