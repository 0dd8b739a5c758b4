#pragma once

#include "dynaplan/models/dynamics.hpp"
#include "dynaplan/models/features.hpp"
#include "dynaplan/networks/affine.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// s' = W phi(s, a) + c + L z with z standard normal: linear dynamics, or polynomial ones by their features.
template <class T>
class LinearDynamics final : public Dynamics<T> {
 public:
  /// `weights` (S, features), `intercept` (S), `noise_factor` (S, S) lower with L L^T the noise covariance.
  LinearDynamics(Index state_dim, const PolynomialFeatures& features, const Eigen::MatrixXd& weights,
                 const Eigen::VectorXd& intercept, const Eigen::MatrixXd& noise_factor);

  Index state_dim() const override { return state_dim_; }
  Index action_dim() const override { return features_.inputs() - state_dim_; }
  std::size_t workspace_bytes(Index lanes) const override;
  void step(ConstBlock<T> state, ConstBlock<T> action, const Draw& draw, Workspace& workspace,
            Block<T> next) const override;
  std::size_t jacobians_workspace_bytes(Index lanes) const override;
  void jacobians(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace, JacobianBlock<T> out) const override;
  std::optional<LinearTerms> linear_terms() const override { return linear_; }

 private:
  Index state_dim_;
  PolynomialFeatures features_;
  std::optional<LinearTerms> linear_;
  PackedAffine<T> mean_;                                     // of [state; action; products]
  PackedAffine<T> sample_;                                   // of [state; action; products; normals]
  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> slopes_;  // (S, inputs): the weights of the inputs themselves
  PackedAffine<T> of_products_;                              // the weights of the products
};

extern template class LinearDynamics<float>;
extern template class LinearDynamics<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
