#include <algorithm>
#include <cmath>

#include "dynaplan/planners/ilqr_run.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

// Improves the trajectory within its limits, if there are any, of which some may be obstacles.
PlanStatus IlqrRun::improve_within_limits() {
  constexpr double kTolerance = 1e-13;  // prices follow from the trajectory, not from its return
  if (added_.limits == nullptr) return improve();
  tolerance_ = std::min(settings_.tolerance, kTolerance);
  // What a violation costs at first is what actions, or the whole plan, are worth without limits.
  added_.limits = nullptr;
  static_cast<void>(derive());
  added_.limits = &memory_.limits;
  const double size = std::max(std::abs(memory_.nominal.value), memory_.backward.size());
  weight_ = size > 0.0 ? size : 1.0;
  set_prices([&] { memory_.limits.set_weight(weight_); });
  if (memory_.limits.is_holding()) hold();
  return memory_.limits.has_obstacles() ? improve_past_obstacles() : improve_prices();
}

// A state that has little room between two limits is held half-way between them at first.
void IlqrRun::hold() {
  constexpr int kHeldPrices = 8;
  const NominalTrajectory start = memory_.nominal;
  max_prices_ = kHeldPrices;
  const PlanStatus status = improve_prices();
  max_prices_ = kMaxPrices;
  set_prices([&] { memory_.limits.release(); });
  if (status == PlanStatus::kStalled) begin_at(start);
}

// Improves the trajectory for prices of its limits, and the prices, until neither changes.
PlanStatus IlqrRun::improve_prices() {
  constexpr double kEnough = 0.25;
  // A limit of changes that binds most of the way is found to bind at one step after another.
  constexpr int kIterationsPerStep = 4;
  const auto of_steps = kIterationsPerStep * static_cast<int>(settings_.horizon);
  const int iterations = charges_changes() ? std::max(settings_.iterations, of_steps) : settings_.iterations;
  AugmentedLagrangian& limits = memory_.limits;
  double before = std::numeric_limits<double>::infinity();
  PlanStatus status = PlanStatus::kStalled;
  for (int prices = 0; prices < max_prices_; ++prices) {
    last_iteration_ = result_.iterations + iterations;
    status = improve();
    const double residual = limits.residual(problem_, memory_.nominal);
    if (status == PlanStatus::kTimeLimit) return status;
    if (residual <= AugmentedLagrangian::kNoResidual) {
      if (status == PlanStatus::kConverged || is_settled()) return PlanStatus::kConverged;
      if (status == PlanStatus::kStalled) return status;
      continue;
    }
    set_prices([&] { limits.update(problem_, memory_.nominal, residual <= kEnough * before); });
    before = residual;
  }
  return status == PlanStatus::kIterations ? status : PlanStatus::kStalled;
}

// Whether the changes promise next to nothing also where they are not held back.
bool IlqrRun::is_settled() {
  const double tolerance = tolerance_;
  regularisation_.reset();
  is_convex_ = false;
  tolerance_ = settings_.tolerance;
  const bool settled = derive() && regularisation_.value() == 0.0 && is_optimal();
  tolerance_ = tolerance;
  return settled;
}

// A plan that has nothing to begin with goes by the best one without obstacles, to learn where it would have to pass
// them; one that is given a beginning is improved on its side.
PlanStatus IlqrRun::improve_past_obstacles() {
  AugmentedLagrangian& limits = memory_.limits;
  const bool is_led = problem_.warm_start.actions != nullptr || problem_.carried.count > 0;
  const bool has_kept = is_led && memory_.forward.best_kept().value > kNone;
  const NominalTrajectory start = has_kept ? memory_.forward.best_kept() : memory_.nominal;
  NominalTrajectory best;
  best.value = kNone;
  bool has_sides = true;
  if (!is_led) {
    limits.ignore_obstacles();
    begin_at(start);
    if (improve_prices() == PlanStatus::kTimeLimit) return PlanStatus::kTimeLimit;
    const NominalTrajectory through = memory_.nominal;
    has_sides = enters_obstacle(through);
    if (!pass_obstacles(through, best)) return PlanStatus::kTimeLimit;
  }
  const bool is_aside = has_sides && !enters_obstacle(start);
  if ((best.value == kNone || is_aside) && !pass_obstacles(start, best)) return PlanStatus::kTimeLimit;
  const NominalTrajectory& last = best.value == kNone ? start : best;
  for (Index n = 0; n < limits.constraints() && best.value != kNone; ++n) limits.choose_faces(best, n);
  begin_at(last);
  return improve_around_corners();
}

bool IlqrRun::enters_obstacle(const NominalTrajectory& trajectory) const {
  for (Index n = 0; n < memory_.limits.constraints(); ++n) {
    if (!memory_.limits.ways_past(trajectory, n).empty()) return true;
  }
  return false;
}

// From a trajectory that leads through obstacles each side is tried, one obstacle after another. The best plan that
// keeps the limits takes the place of `best` if it is better; returns false where there is no time.
bool IlqrRun::pass_obstacles(const NominalTrajectory& from, NominalTrajectory& best) {
  constexpr int kTriedPrices = 10;  // on a side where no plan keeps the limits these adjust for nothing
  AugmentedLagrangian& limits = memory_.limits;
  for (Index n = 0; n < limits.constraints(); ++n) {
    const std::vector<Index> ways = limits.ways_past(from, n);
    limits.choose_faces(from, n, ways.empty() ? ObstacleFaces::kDistance : ways.front());
  }
  double value = kNone;  // of the side that is being tried
  const auto try_faces = [&] {
    begin_at(from);
    max_prices_ = kTriedPrices;
    const bool in_time = improve_around_corners() != PlanStatus::kTimeLimit;
    max_prices_ = kMaxPrices;
    value = limits.is_kept(problem_, memory_.nominal) ? memory_.nominal.value : kNone;
    if (value > best.value) best = memory_.nominal;
    return in_time;
  };
  if (!enters_obstacle(from)) return try_faces();
  for (Index n = 0; n < limits.constraints(); ++n) {
    const std::vector<Index> ways = limits.ways_past(from, n);
    if (ways.empty()) continue;
    double best_value = kNone;
    Index best_face = ways.front();
    for (const Index face : ways) {
      limits.choose_faces(from, n, face);
      if (!try_faces()) return false;
      if (!(value > best_value)) continue;
      best_value = value;
      best_face = face;
    }
    limits.choose_faces(from, n, best_face);
  }
  return true;
}

// Where an obstacle's face holds a step that is beyond another face too, as at a corner, the other takes its place, as
// long as that gains something. A step that no other face can take is at a local optimum.
PlanStatus IlqrRun::improve_around_corners() {
  constexpr double kLittle = 1e-9;
  AugmentedLagrangian& limits = memory_.limits;
  PlanStatus status = improve_prices();
  for (Index turns = 0; turns < settings_.horizon && status != PlanStatus::kTimeLimit; ++turns) {
    const NominalTrajectory before = memory_.nominal;
    bool turned = false;
    set_prices([&] { turned = limits.turn_corners(memory_.nominal); });
    if (!turned) break;
    status = improve_prices();
    const bool is_kept = limits.is_kept(problem_, memory_.nominal);
    const double gained = is_kept ? memory_.nominal.value - before.value : kNone;
    const double little = kLittle * std::abs(before.value);
    if (gained > little || status == PlanStatus::kTimeLimit || !limits.is_kept(problem_, before)) continue;
    if (gained >= -little) break;
    for (Index n = 0; n < limits.constraints(); ++n) limits.choose_faces(before, n);
    begin_at(before);
    status = improve_prices();
    break;
  }
  return improve_turns(status);
}

// Where the faces of two steps differ the plan turns a corner; one step earlier or later may be better.
PlanStatus IlqrRun::improve_turns(PlanStatus status) {
  constexpr double kLittle = 1e-6;
  constexpr int kTriedPrices = 8;
  AugmentedLagrangian& limits = memory_.limits;
  const int max_prices = max_prices_;
  bool gained = limits.is_kept(problem_, memory_.nominal);
  while (gained && status != PlanStatus::kTimeLimit) {
    gained = false;
    for (const AugmentedLagrangian::Turn& turn : limits.turns()) {
      const NominalTrajectory before = memory_.nominal;
      const AugmentedLagrangian::Prices prices = limits.prices();
      set_prices([&] { limits.take(turn); });
      max_prices_ = kTriedPrices;
      const PlanStatus tried = improve_prices();
      max_prices_ = max_prices;
      if (tried == PlanStatus::kTimeLimit) return tried;
      const bool is_kept = limits.is_kept(problem_, memory_.nominal);
      if (is_kept && memory_.nominal.value > before.value + kLittle * std::abs(before.value)) {
        gained = true;
        status = tried;
        break;
      }
      memory_.nominal = before;
      limits.set_prices(prices);
      regularisation_.reset();
      is_expanded_ = has_policy_ = is_convex_ = false;
    }
  }
  return status;
}

// Begins anew at a trajectory, without prices.
void IlqrRun::begin_at(const NominalTrajectory& trajectory) {
  memory_.nominal = trajectory;
  memory_.limits.forget_prices();
  memory_.limits.set_weight(weight_);
  memory_.nominal.total = memory_.nominal.value - added_.cost(problem_, memory_.nominal);
  regularisation_.reset();
  is_expanded_ = has_policy_ = is_convex_ = false;
}

// Actions that nearly keep the limits of their changes are made to, to the last bit.
void IlqrRun::keep_changes() {
  constexpr double kLittle = 1e-5;
  count(memory_.forward.limit(given_, added_, memory_.nominal));
  if (!std::isfinite(memory_.forward.best_total())) return;
  const double before = memory_.nominal.value;
  memory_.forward.accept(problem_, memory_.nominal);
  is_expanded_ = has_policy_ = false;
  const bool is_other = std::abs(memory_.nominal.value - before) > kLittle * std::abs(before);
  if (is_other && result_.status == PlanStatus::kConverged) result_.status = PlanStatus::kStalled;
}

// Where the last trajectory does not keep the limits, or another was better, the best that does takes its place.
void IlqrRun::take_best_kept() {
  // The last one is within a margin of its limits, so that others on the way may be better by as much.
  constexpr double kMargin = 1e-4;
  const NominalTrajectory& kept = memory_.forward.best_kept();
  const double value = memory_.nominal.value;
  const bool is_kept = memory_.limits.are_steps_allowed(problem_, memory_.nominal);
  if (!(kept.value > (is_kept ? value + kMargin * std::abs(value) : kNone))) return;
  memory_.nominal = kept;
  is_expanded_ = has_policy_ = false;
  if (result_.status == PlanStatus::kConverged) result_.status = PlanStatus::kStalled;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
