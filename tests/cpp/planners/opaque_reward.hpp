#pragma once

#include "dynaplan/rewards/reward.hpp"

namespace dynaplan_test {

/// The same reward, but it keeps its derivatives to itself.
class OpaqueReward final : public dynaplan::Reward<double> {
 public:
  explicit OpaqueReward(const dynaplan::Reward<double>& reward) : reward_(reward) {}
  std::size_t workspace_bytes(dynaplan::Index lanes) const override { return reward_.workspace_bytes(lanes); }
  void add(const dynaplan::StepView<double>& view, dynaplan::Workspace& workspace, double* total) const override {
    reward_.add(view, workspace, total);
  }
  void require_dims(dynaplan::Index state_dim, dynaplan::Index action_dim) const override {
    reward_.require_dims(state_dim, action_dim);
  }
  bool needs_previous_action() const override { return reward_.needs_previous_action(); }

 private:
  const dynaplan::Reward<double>& reward_;
};

}  // namespace dynaplan_test
