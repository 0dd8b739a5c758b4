#pragma once

#include <memory>
#include <vector>

#include "dynaplan/models/dynamics.hpp"
#include "dynaplan/models/gaussian_posterior.hpp"
#include "dynaplan/models/step_query.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// What was observed of S states, and the kernel of each.
struct GaussianProcessParameters {
  /// Rows whose covariance is factored in seconds; one state's factor takes rows^2 / 2 numbers.
  static constexpr Index kMaxRows = 5000;

  Eigen::MatrixXd inputs;              // (N, S + A), states first
  Eigen::MatrixXd changes;             // (N, S), of the states
  std::vector<GaussianKernel> states;  // S

  /// Throws ShapeError, ValueError.
  void validate() const;
};

/// s' = s + m + f(s, a) + noise: of each state a Gaussian process of its own, about the mean change m. Immutable.
class GaussianProcess {
 public:
  /// Factors a covariance for each state. Throws what `validate` and GaussianPosterior throw; Error once `interrupt`,
  /// which may be null, is requested between two of them.
  GaussianProcess(GaussianProcessParameters parameters, int threads, const Interrupt* interrupt = nullptr);

  Index state_dim() const { return parameters_.changes.cols(); }
  Index action_dim() const { return parameters_.inputs.cols() - state_dim(); }
  Index rows() const { return parameters_.inputs.rows(); }
  const GaussianProcessParameters& parameters() const { return parameters_; }
  Eigen::VectorXd noise_std() const;
  const GaussianPosterior& posterior(Index state) const { return *posteriors_[static_cast<std::size_t>(state)]; }
  double mean_change(Index state) const { return mean_change_(state); }

  /// How little is known where `shares` (S) of the signals' variances are open: root mean square of the standard
  /// deviations over the states, in those of the changes, as the members of an ensemble disagree.
  template <class Share>
  double disagreement(const Share& share) const {
    double sum = 0.0;
    for (Index d = 0; d < state_dim(); ++d) sum += disagreement_weights_(d) * share(d);
    return std::sqrt(sum);
  }
  /// Of each row (N), what the model of the other rows would say of it.
  Eigen::VectorXd left_out_disagreement() const;

  /// States and actions in double, less the mean of those observed, into `out` (S + A, K).
  template <class T>
  void centre(ConstBlock<T> state, ConstBlock<T> action, Block<double> out) const {
    for (Index i = 0; i < out.dim; ++i) {
      const ConstBlock<T> part = i < state.dim ? state : action;
      const T* const from = part.row(i < state.dim ? i : i - state.dim);
      lanes_of(out, i) = lanes_of(from, out.lanes).template cast<double>() - centre_(i);
    }
  }

 private:
  GaussianProcessParameters parameters_;
  Eigen::RowVectorXd centre_;       // (S + A)
  Eigen::RowVectorXd mean_change_;  // (S)
  std::vector<std::unique_ptr<const GaussianPosterior>> posteriors_;
  Eigen::VectorXd disagreement_weights_;  // (S)
};

/// As rollouts run it. Draws are of the change itself, f's uncertainty and noise, each step's on their own. Computed in
/// double whatever T is: weights of opposite signs, as a smooth function has, cancel to a part in 1e7.
template <class T>
class GaussianProcessDynamics final : public Dynamics<T> {
 public:
  /// `noise_std` (S), which need not be the one that `process` was fitted with.
  GaussianProcessDynamics(std::shared_ptr<const GaussianProcess> process, Eigen::VectorXd noise_std);

  Index state_dim() const override { return process_->state_dim(); }
  Index action_dim() const override { return process_->action_dim(); }
  bool gains_from_float32() const override { return false; }
  std::size_t workspace_bytes(Index lanes) const override;
  void step(ConstBlock<T> state, ConstBlock<T> action, const Draw& draw, Workspace& workspace,
            Block<T> next) const override;
  void disagreement(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace, T* out) const override;
  std::size_t jacobians_workspace_bytes(Index lanes) const override;
  void jacobians(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace, JacobianBlock<T> out) const override;

 private:
  Block<double> centred(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace) const;

  std::shared_ptr<const GaussianProcess> process_;
  Eigen::VectorXd noise_std_;
};

extern template class GaussianProcessDynamics<float>;
extern template class GaussianProcessDynamics<double>;

/// Means of the next states and variances of f, (count, S) each.
void predict(const GaussianProcess& process, const StepQuery& query, double* mean, double* epistemic);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
