#include <doctest/doctest.h>

#include <cmath>

#include "allocations.hpp"
#include "dynaplan/planners/cem.hpp"
#include "members.hpp"

using namespace dynaplan;
using dynaplan_test::Members;
using dynaplan_test::NextState;

TEST_CASE("a planner counts whom the disagreement limit rejects, and allocates nothing after its first plan") {
  const Members<float> dynamics;
  const NextState<float> reward;
  const double state = 1.0;
  const double low = -2.0;
  const double high = 2.0;
  PlanProblem problem;
  problem.rollout.dynamics = &dynamics;
  problem.rollout.reward = &reward;
  problem.rollout.particles = {Propagation::kTsInf, 6, {Reduction::kCvar, 0.5}};
  problem.rollout.disagreement_limit = DisagreementLimit{1.0, OnExceeding::kReject};
  problem.state = &state;
  problem.action_low = &low;
  problem.action_high = &high;
  CemSettings settings;
  settings.horizon = 2;
  settings.iterations = 10;
  SearchMemory<float> workspace;
  PlanResult<float> result;
  const Cem cem(settings);
  cem.plan(problem, workspace, result);
  CHECK(result.rejected > 1000);
  CHECK(result.non_finite == 0);
  CHECK(result.status == PlanStatus::kIterations);
  // As far as the limit allows: |a| sqrt(14 / 3) <= 1.
  const double max_action = std::sqrt(3.0 / 14);
  for (const float action : result.actions) CHECK(action == doctest::Approx(max_action).epsilon(0.03));
  // The worst half of the particles have gains 1, 1 and 2, so return 2 + 3 a gain.
  CHECK(result.value == doctest::Approx(2.0 + 3.0 * max_action * 4.0 / 3.0).epsilon(0.03));
  const long before = dynaplan_test::allocations();
  cem.plan(problem, workspace, result);
  CHECK(dynaplan_test::allocations() == before);

  problem.rollout.disagreement_limit->limit = 0.0;
  const double pressed = 1.0;
  problem.action_low = &pressed;
  Cem(settings).plan(problem, workspace, result);
  CHECK(result.status == PlanStatus::kNoFiniteCandidate);
  CHECK(result.rejected == result.candidates);
}
