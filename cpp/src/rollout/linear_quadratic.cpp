#include "dynaplan/rollout/linear_quadratic.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "dynaplan/core/dense.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// Weights further apart than this would cost float32 digits that plain coordinates keep.
constexpr double kLargestCondition = 1e8;

// One quadratic term for all: the sum of weights, and the target where the sum is largest. What is left is a constant.
struct SumOfTerms {
  Eigen::MatrixXd root;  // U (S, S)
  Eigen::VectorXd target;
  double constant = 0.0;
};

std::optional<SumOfTerms> sum_of(const std::vector<QuadraticTerm>& terms) {
  if (terms.empty()) return std::nullopt;
  Eigen::MatrixXd weights = Eigen::MatrixXd::Zero(terms[0].weights.rows(), terms[0].weights.cols());
  Eigen::VectorXd weighted_targets = Eigen::VectorXd::Zero(weights.rows());
  for (const QuadraticTerm& term : terms) {
    if (term.at != terms[0].at) return std::nullopt;
    weights += term.weights;
    weighted_targets += term.weights * term.target;
  }
  const SymmetricEigen eigen = symmetric_eigen(weights);
  const double largest = eigen.values.maxCoeff();
  if (!(eigen.values.minCoeff() * kLargestCondition > largest)) return std::nullopt;
  SumOfTerms sum;
  sum.root = eigen.values.cwiseSqrt().asDiagonal() * eigen.vectors.transpose();
  sum.target = eigen.vectors * (eigen.vectors.transpose() * weighted_targets).cwiseQuotient(eigen.values);
  for (const QuadraticTerm& term : terms) {
    const Eigen::VectorXd apart = sum.target - term.target;
    sum.constant += apart.dot(term.weights * apart);
  }
  return sum;
}

}  // namespace

// -(|y|^2 + constant) and the terms that look at actions alone.
template <class T>
class LinearQuadraticProblem<T>::SquaredLength final : public Reward<T> {
 public:
  SquaredLength(At at, double constant, std::vector<const Reward<T>*> of_actions)
      : at_(at), constant_(static_cast<T>(constant)), of_actions_(std::move(of_actions)) {}

  std::size_t workspace_bytes(Index lanes) const override {
    std::size_t most = 0;
    for (const Reward<T>* term : of_actions_) most = std::max(most, term->workspace_bytes(lanes));
    return most;
  }

  void add(const StepView<T>& view, Workspace& workspace, T* total) const override {
    const ConstBlock<T> y = at_ == At::kState ? view.state : view.next;
    for (Index k = 0; k < y.lanes; k += kVectorLanes<T>) {
      LaneVector<T> even = load_lanes(total + k) - constant_;
      LaneVector<T> odd = {};
      Index i = 0;
      for (; i + 1 < y.dim; i += 2) {
        const LaneVector<T> first = load_lanes(y.row(i) + k);
        const LaneVector<T> second = load_lanes(y.row(i + 1) + k);
        even -= first * first;
        odd -= second * second;
      }
      if (i < y.dim) {
        const LaneVector<T> last = load_lanes(y.row(i) + k);
        even -= last * last;
      }
      store_lanes<T>(total + k, even + odd);
    }
    for (const Reward<T>* term : of_actions_) term->add(view, workspace, total);
  }

  void require_dims(Index /*state_dim*/, Index /*action_dim*/) const override {}  // the original checked them

 private:
  At at_;
  T constant_;
  std::vector<const Reward<T>*> of_actions_;
};

template <class T>
std::unique_ptr<const LinearQuadraticProblem<T>> LinearQuadraticProblem<T>::of(const RolloutProblem<T>& problem) {
  // With one panel of rows there is no triangle to gain from.
  if (problem.dynamics->state_dim() <= kTileRows) return nullptr;
  if (problem.reward == nullptr || problem.termination != nullptr || problem.limits != nullptr) return nullptr;
  if (problem.disagreement_limit || problem.limits_steps() || problem.particles.count > 1) return nullptr;
  if (problem.particles.propagation != Propagation::kMean) return nullptr;
  if (problem.dynamics->angles() != nullptr) return nullptr;  // at the ends of their ranges they are not linear
  const std::optional<LinearTerms> terms = problem.dynamics->linear_terms();
  RewardParts<T> parts;
  if (!terms || !problem.reward->take_apart(parts)) return nullptr;
  const std::optional<SumOfTerms> sum = sum_of(parts.of_states);
  if (!sum) return nullptr;

  const Eigen::MatrixXd& root = sum->root;
  const std::optional<RealSchur> schur = real_schur(product(product(root, terms->state), inverse(root)));
  if (!schur) return nullptr;
  const Eigen::MatrixXd to_own = transposed_product(schur->u, root);
  const Eigen::VectorXd drift = terms->state * sum->target + terms->constant - sum->target;
  const LinearTerms own{schur->t, product(to_own, terms->action), to_own * drift};
  auto reward = std::make_unique<const SquaredLength>(parts.of_states[0].at, sum->constant, parts.of_actions);
  return std::unique_ptr<const LinearQuadraticProblem>(
      new LinearQuadraticProblem(problem, own, to_own, sum->target, std::move(reward)));
}

template <class T>
LinearQuadraticProblem<T>::LinearQuadraticProblem(const RolloutProblem<T>& original, const LinearTerms& terms,
                                                  const Eigen::MatrixXd& to_own, const Eigen::VectorXd& target,
                                                  std::unique_ptr<const Reward<T>> reward)
    : dynamics_(terms),
      coordinates_(to_own.cast<T>(), (-to_own * target).cast<T>()),
      reward_(std::move(reward)),
      problem_(original) {
  problem_.dynamics = &dynamics_;
  problem_.reward = reward_.get();
  problem_.coordinates = &coordinates_;
}

template class LinearQuadraticProblem<float>;
template class LinearQuadraticProblem<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
