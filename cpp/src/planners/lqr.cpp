#include "dynaplan/planners/lqr.hpp"

#include <cmath>
#include <optional>
#include <string>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/dense.hpp"
#include "dynaplan/core/error.hpp"
#include "dynaplan/planners/lqr_units.hpp"
#include "dynaplan/planners/reachable_states.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

void require_matrix(const char* name, const Matrix& matrix, Index rows, Index columns) {
  require_shape(name, matrix.rows(), matrix.cols(), rows, columns);
  require_finite_matrix(name, matrix);
}

void require_vector(const char* name, const Vector& vector, Index size) {
  require_size(name, vector.size(), size);
  require_finite(name, vector.data(), size);
}

void require_symmetric(const char* name, const Matrix& matrix, Index size) {
  require_matrix(name, matrix, size, size);
  const double largest = matrix.cwiseAbs().maxCoeff();
  const Matrix relative = matrix / (largest > 0.0 ? largest : 1.0);  // its squares neither overflow nor vanish
  if (!relative.isApprox(relative.transpose(), 1e-10)) {
    throw ValueError(std::string(name) + ": must be a symmetric matrix");
  }
}

void validate_matrices(const RiccatiProblem& terms) {
  const Index size = terms.a.rows();
  const Index action_dim = terms.b.cols();
  if (size < 1) throw_shape_error("A", "no rows", "one for each state");
  if (action_dim < 1) throw_shape_error("B", "no columns", "one for each action");
  require_matrix("A", terms.a, size, size);
  require_matrix("B", terms.b, size, action_dim);
  require_symmetric("Q", terms.q, size);
  require_symmetric("R", terms.r, action_dim);
  require_matrix("N", terms.n, size, action_dim);
}

LinearQuadratic enter(const LqrUnits& units, const LinearQuadratic& problem) {
  return {units.enter(problem.terms), units.enter_state(problem.constant), units.enter_state_slope(problem.state_slope),
          units.enter_action_slope(problem.action_slope), problem.discount};
}

Regulator leave(const LqrUnits& units, const Regulator& regulator) {
  Regulator result{units.leave_gain(regulator.gain), units.leave_action(regulator.offset),
                   units.leave_value(regulator.value), units.leave_state_slope(regulator.slope)};
  if (!result.gain.allFinite() || !result.offset.allFinite() || !result.value.allFinite() ||
      !result.slope.allFinite()) {
    throw NumericalError("A, B, Q, R: gains or costs to come overflow float64; choose other units of states or costs");
  }
  return result;
}

// The same problem of y with x = basis y.
LinearQuadratic turned(const LinearQuadratic& problem, const ReachableStates& states) {
  const Matrix& basis = states.basis;
  const RiccatiProblem& terms = problem.terms;
  LinearQuadratic result{
      {product(transposed_product(basis, terms.a), basis), transposed_product(basis, terms.b),
       symmetric_part(product(transposed_product(basis, terms.q), basis)), terms.r, transposed_product(basis, terms.n)},
      basis.transpose() * problem.constant,
      basis.transpose() * problem.state_slope,
      problem.action_slope,
      problem.discount};
  const Index rest = basis.cols() - states.count;
  result.terms.a.bottomLeftCorner(rest, states.count).setZero();
  result.terms.b.bottomRows(rest).setZero();
  return result;
}

Regulator turned_back(const Regulator& regulator, const Matrix& basis) {
  return {product_transposed(regulator.gain, basis), regulator.offset,
          symmetric_part(product_transposed(product(basis, regulator.value), basis)), basis * regulator.slope};
}

// Each later step counts less by the discount: as if A and B were smaller.
RiccatiProblem discounted(const LinearQuadratic& problem) {
  RiccatiProblem terms = problem.terms;
  terms.a *= std::sqrt(problem.discount);
  terms.b *= std::sqrt(problem.discount);
  return terms;
}

// What follows from P, the solution of the discounted Riccati equation.
Regulator regulator_of(const LinearQuadratic& problem, const RiccatiProblem& terms, const Matrix& value) {
  Regulator regulator;
  regulator.value = value;
  regulator.gain = riccati_gain(terms, regulator.value);
  // p = q - K^T r + discount (A - B K)^T (P c + p), in which u = k drops out as K is the best gain.
  const Index size = terms.a.rows();
  const Matrix after = problem.discount * (problem.terms.a - product(problem.terms.b, regulator.gain)).transpose();
  const Vector drift = regulator.value * problem.constant;
  const Vector right = problem.state_slope - regulator.gain.transpose() * problem.action_slope + after * drift;
  regulator.slope = solve(Matrix::Identity(size, size) - after, right);
  const Matrix curvature = terms.r + product(transposed_product(terms.b, regulator.value), terms.b);
  const Vector slope =
      problem.action_slope + problem.discount * problem.terms.b.transpose() * (drift + regulator.slope);
  regulator.offset = -solve_symmetric(curvature, slope);
  return regulator;
}

// One step of the recursion from what follows, `value` and `slope`; the costs of what follows are discounted.
Regulator regulator_before(const LinearQuadratic& problem, const Matrix& value, const Vector& slope) {
  const RiccatiProblem& terms = problem.terms;
  Regulator step;
  const Matrix after = problem.discount * value;
  const Vector slope_after = after * problem.constant + problem.discount * slope;
  const Matrix through_action = transposed_product(terms.b, after);
  const Matrix mixed = product(through_action, terms.a) + terms.n.transpose();
  const Matrix curvature = terms.r + product(through_action, terms.b);
  step.gain = riccati_gain(terms, after);
  step.offset = -solve_symmetric(curvature, problem.action_slope + terms.b.transpose() * slope_after);
  step.value = symmetric_part(terms.q + product(transposed_product(terms.a, after), terms.a) -
                              transposed_product(mixed, step.gain));
  step.slope = problem.state_slope + terms.a.transpose() * slope_after + mixed.transpose() * step.offset;
  return step;
}

// The reward's derivatives at x = 0, u = 0 by the variables of a step, pulled back to (x, u). A quadratic is that
// expansion, wherever it is made.
LinearQuadratic linear_quadratic(const ExactPlanProblem& problem, const LinearTerms& linear) {
  WholeState whole = WholeState::of(problem);
  whole.has_earlier_action = false;  // costs nothing
  const Reward<double>& reward = *problem.rollout.reward;
  const Index size = whole.size();
  const Index both = size + whole.action_dim;
  const Index state_dim = whole.state_dim;
  const Index variables = 2 * (state_dim + whole.action_dim);
  LinearQuadratic result;
  RiccatiProblem& terms = result.terms;
  terms.a = Matrix::Zero(size, size);
  terms.b = Matrix::Zero(size, whole.action_dim);
  result.constant = Vector::Zero(size);
  terms.a.topLeftCorner(state_dim, state_dim) = linear.state;
  terms.b.topRows(state_dim) = linear.action;
  result.constant.head(state_dim) = linear.constant;
  if (whole.has_previous_action) terms.b.bottomRows(whole.action_dim).setIdentity();

  Matrix jacobian = Matrix::Zero(variables, both);
  jacobian.topLeftCorner(state_dim, state_dim).setIdentity();
  jacobian.block(state_dim, size, whole.action_dim, whole.action_dim).setIdentity();
  if (whole.has_previous_action) {
    jacobian.block(state_dim + whole.action_dim, state_dim, whole.action_dim, whole.action_dim).setIdentity();
  }
  jacobian.bottomRows(state_dim) << terms.a.topRows(state_dim), terms.b.topRows(state_dim);
  Vector values = Vector::Zero(variables);
  values.tail(state_dim) = linear.constant;
  Workspace workspace;
  workspace.reserve(RewardExpansion<double>::bytes(variables) + reward.expansion_bytes(variables));
  auto expansion = RewardExpansion<double>::take(workspace, variables);
  reward.expand({values.data(), state_dim, whole.action_dim}, workspace, expansion);
  const Vector slope = -0.5 * jacobian.transpose() * Eigen::Map<Vector>(expansion.gradient, variables);
  const Eigen::Map<const Matrix> hessian(expansion.hessian, variables, variables);
  const Matrix curvature = product(transposed_product(-0.5 * jacobian, hessian), jacobian);
  terms.q = curvature.topLeftCorner(size, size);
  terms.r = curvature.bottomRightCorner(whole.action_dim, whole.action_dim);
  terms.n = curvature.topRightCorner(size, whole.action_dim);
  result.state_slope = slope.head(size);
  result.action_slope = slope.tail(whole.action_dim);
  result.discount = problem.rollout.discount;
  return result;
}

LinearTerms linear_terms_of(const ExactPlanProblem& problem) {
  const RolloutProblem<double>& rollout = problem.rollout;
  const std::optional<LinearTerms> linear = rollout.dynamics->linear_terms();
  if (!linear) throw ValueError("model: LQR needs linear dynamics, a LinearGaussian of degree 1; use ILQR");
  if (rollout.termination != nullptr || problem.score != nullptr) {
    throw ValueError("reward, termination: LQR needs a reward of built-in terms and no termination; use ILQR");
  }
  if (problem.terminal_value != nullptr) {
    throw ValueError("terminal_value: LQR needs a quadratic one, a rewards.terminal term; or use ILQR");
  }
  if (rollout.limits != nullptr) throw ValueError("clip: LQR cannot clip states; use ILQR");
  if (!rollout.reward->is_quadratic(problem.action_low, problem.action_high)) {
    throw ValueError(
        "reward: LQR needs terms that are quadratic or linear everywhere within the bounds of the actions; use ILQR");
  }
  return *linear;
}

}  // namespace

void LinearQuadratic::set_targets(const Eigen::VectorXd& state_target, const Eigen::VectorXd& action_target) {
  validate_matrices(terms);
  require_vector("state_target", state_target, terms.a.rows());
  require_vector("action_target", action_target, terms.b.cols());
  state_slope = -terms.q * state_target - terms.n * action_target;
  action_slope = -terms.r * action_target - terms.n.transpose() * state_target;
}

void LinearQuadratic::validate() const {
  validate_matrices(terms);
  require_vector("c", constant, terms.a.rows());
  require_vector("q", state_slope, terms.a.rows());
  require_vector("r", action_slope, terms.b.cols());
  require_positive_fraction("discount", discount);
}

Regulator infinite_horizon_regulator(const LinearQuadratic& problem) {
  problem.validate();
  const LqrUnits units = LqrUnits::balancing(problem.terms);
  const LinearQuadratic entered = enter(units, problem);
  const RiccatiProblem terms = discounted(entered);
  const Index size = terms.a.rows();
  if (const std::optional<Matrix> value = stabilising_solution(terms, size)) {
    return leave(units, regulator_of(entered, terms, *value));
  }
  // States that no action reaches may cost so much, as they linger, that rounding drowns the others. In coordinates of
  // their own they do not mix.
  const ReachableStates states = reachable_states(terms.a, terms.b);
  if (states.count < size) {
    const LinearQuadratic apart = turned(entered, states);
    const RiccatiProblem terms_apart = discounted(apart);
    if (const std::optional<Matrix> value = stabilising_solution(terms_apart, states.count)) {
      return leave(units, turned_back(regulator_of(apart, terms_apart, *value), states.basis));
    }
  }
  throw_unsolvable(terms, problem.discount);
}

std::vector<Regulator> finite_regulators(const LinearQuadratic& problem, Index horizon,
                                         const Eigen::MatrixXd& final_value, const Eigen::VectorXd& final_target,
                                         const Interrupt* interrupt) {
  problem.validate();
  require_at_least("horizon", horizon, 1);
  const Index size = problem.terms.a.rows();
  require_symmetric("Q_final", final_value, size);
  require_vector("state_target", final_target, size);
  require_addressable("horizon", {horizon + 1, size, size});
  const LqrUnits units = LqrUnits::balancing(problem.terms);
  const LinearQuadratic entered = enter(units, problem);
  const Matrix value = units.enter_value(final_value);
  Regulator following{Matrix::Zero(problem.terms.b.cols(), size), Vector::Zero(problem.terms.b.cols()), value,
                      -value * units.enter_state(final_target)};
  std::vector<Regulator> regulators(static_cast<std::size_t>(horizon + 1));
  regulators.back() = leave(units, following);
  for (auto step = static_cast<std::size_t>(horizon); step-- > 0;) {
    if (interrupt != nullptr && interrupt->requested()) break;
    following = regulator_before(entered, following.value, following.slope);
    regulators[step] = leave(units, following);
  }
  return regulators;
}

void LqrSettings::validate() const { require_at_least("horizon", horizon, 1); }

Lqr::Lqr(const LqrSettings& settings) : settings_(settings) { settings.validate(); }

void Lqr::plan(const ExactPlanProblem& problem, TrajectoryMemory& memory, TrajectoryPlan& result) const {
  problem.validate();
  const LinearQuadratic terms = linear_quadratic(problem, linear_terms_of(problem));
  const Index size = terms.terms.a.rows();
  const Index whole_size = WholeState::of(problem).size();
  CostBeyond beyond{Matrix::Zero(whole_size, whole_size), Vector::Zero(whole_size)};
  if (settings_.infinite_horizon) {
    if (problem.rollout.reward->use_of_step() != UseOfStep::kNone) {
      throw ValueError("reward: changes from step to step; an infinite horizon needs one that does not");
    }
    const Regulator regulator = infinite_horizon_regulator(terms);
    beyond.curvature.topLeftCorner(size, size) = regulator.value;
    beyond.slope.head(size) = regulator.slope;
  } else if (problem.rollout.reward->use_of_step() == UseOfStep::kNone) {
    // The regulators themselves are not needed, but that there are any.
    static_cast<void>(
        finite_regulators(terms, settings_.horizon, Matrix::Zero(size, size), Vector::Zero(size), problem.interrupt));
  }
  // One iteration finds the plan; more are needed only where the bounds come into play.
  IlqrSettings iterations;
  iterations.horizon = settings_.horizon;
  iterations.iterations = 200;
  iterations.tolerance = 1e-12;
  run_ilqr(iterations, problem, &beyond, memory, result);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
