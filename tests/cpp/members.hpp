#pragma once

#include <cmath>

#include "dynaplan/models/dynamics.hpp"
#include "dynaplan/rewards/reward.hpp"

namespace dynaplan_test {

using dynaplan::Block;
using dynaplan::ConstBlock;
using dynaplan::Draw;
using dynaplan::Index;
using dynaplan::Workspace;

// Three members, s' = s + gain a with gains 1, 2, 6 and no noise; predicts the reward 10 s + a. The members disagree by
// |a| sqrt(14 / 3).
template <class T>
class Members final : public dynaplan::Dynamics<T> {
 public:
  static constexpr double kGains[] = {1.0, 2.0, 6.0};

  Index state_dim() const override { return 1; }
  Index action_dim() const override { return 1; }
  Index output_dim() const override { return 2; }
  Index members() const override { return 3; }
  std::size_t workspace_bytes(Index) const override { return 0; }

  void step(ConstBlock<T> state, ConstBlock<T> action, const Draw& draw, Workspace&, Block<T> next) const override {
    const auto gain = static_cast<T>(gain_of(draw));
    for (Index k = 0; k < state.lanes; ++k) {
      next.row(0)[k] = state.row(0)[k] + gain * action.row(0)[k];
      next.row(1)[k] = T(10) * state.row(0)[k] + action.row(0)[k];
    }
  }

  void disagreement(ConstBlock<T> state, ConstBlock<T> action, Workspace&, T* out) const override {
    for (Index k = 0; k < state.lanes; ++k) out[k] = std::abs(action.row(0)[k]) * static_cast<T>(std::sqrt(14.0 / 3));
  }

 private:
  static double gain_of(const Draw& draw) {
    if (draw.propagation == dynaplan::Propagation::kMean) return 3.0;
    return kGains[draw.particle * 3 / draw.particles];
  }
};

// Pays s'.
template <class T>
class NextState final : public dynaplan::Reward<T> {
 public:
  std::size_t workspace_bytes(Index) const override { return 0; }
  void add(const dynaplan::StepView<T>& view, Workspace&, T* total) const override {
    for (Index k = 0; k < view.next.lanes; ++k) total[k] += view.next.row(0)[k];
  }
  void require_dims(Index, Index) const override {}
};

}  // namespace dynaplan_test
