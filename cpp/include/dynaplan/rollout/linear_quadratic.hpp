#pragma once

#include <memory>
#include <vector>

#include "dynaplan/models/block_triangular.hpp"
#include "dynaplan/rollout/rollout.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Linear dynamics under a quadratic reward, in the coordinates y = Q^T U (s - s*) with W = U^T U the weights of the
/// states and U A U^-1 = Q S Q^T a real Schur form: the reward is -|y|^2, and y' = S y + Q^T U (B a + A s* + c - s*)
/// has half the products (Golub & Van Loan 2013, sec. 7.4). Q is orthogonal, so that rounding stays as small against
/// the reward as it was.
template <class T>
class LinearQuadraticProblem {
 public:
  /// Null where the problem is of another kind, has too few states to gain, or its weights are too ill-conditioned.
  static std::unique_ptr<const LinearQuadraticProblem> of(const RolloutProblem<T>& problem);

  /// To be set as RolloutProblem::cheaper; borrows from this object and from the original problem.
  const RolloutProblem<T>& problem() const { return problem_; }

 private:
  class SquaredLength;

  LinearQuadraticProblem(const RolloutProblem<T>& original, const LinearTerms& terms, const Eigen::MatrixXd& to_own,
                         const Eigen::VectorXd& target, std::unique_ptr<const Reward<T>> reward);

  BlockTriangularDynamics<T> dynamics_;
  PackedAffine<T> coordinates_;
  std::unique_ptr<const Reward<T>> reward_;
  RolloutProblem<T> problem_;
};

extern template class LinearQuadraticProblem<float>;
extern template class LinearQuadraticProblem<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
