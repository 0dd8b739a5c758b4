"""A plan does not depend on where the origin is, nor on the units."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

import dynaplan as dp

DT = 0.1
A = np.array([[1.0, DT], [0.0, 1.0]])
B = np.array([[0.0], [DT]])
HORIZON = 25
PLANNERS = {
    "cem": dp.CEM(horizon=HORIZON, clip=None),
    "icem": dp.ICEM(horizon=HORIZON, clip=None),
    "mppi": dp.MPPI(horizon=HORIZON, clip=None),
    "random shooting": dp.RandomShooting(horizon=HORIZON, clip=None),
    "categorical cem": None,
}
GIVEN_BY = ["matrices", "log", "function"]


class Coordinates(NamedTuple):
    """A cart's position, speed and force as someone else counts them: in a unit, from elsewhere."""

    origin: float = 0.0
    unit: float = 1.0
    force_origin: float = 0.0
    force_unit: float = 1.0

    @property
    def start(self):
        return np.array([self.origin, 0.0])

    def states(self, states):
        return self.start + self.unit * np.asarray(states)

    def actions(self, actions):
        return self.force_origin + self.force_unit * np.asarray(actions)

    def own_states(self, states):
        return (np.asarray(states) - self.start) / self.unit

    def own_actions(self, actions):
        return (np.asarray(actions) - self.force_origin) / self.force_unit

    def step(self, states, actions):
        """Computed as it would be there, to the last digit but for what float64 rounds."""
        pushes = (self.unit / self.force_unit) * (np.asarray(actions) - self.force_origin) @ B.T
        return states + (states - self.start) @ (A - np.eye(2)).T + pushes

    def reward(self):
        weights = np.array([1.0, 0.1]) / self.unit**2
        return dp.rewards.quadratic(np.diag(weights), target=self.states([1.0, 0.0]))

    def box(self):
        return ([self.actions(-1.0)], [self.actions(1.0)])

    def model(self, given_by):
        if given_by == "function":
            return dp.FunctionModel(self.step, 2, 1)
        generator = np.random.default_rng(0)
        spread = 1.0 if given_by == "matrices" else 0.3
        states = self.states(spread * generator.normal(size=(400, 2)))
        actions = self.actions(generator.uniform(-1, 1, size=(400, 1)))
        return dp.LinearGaussian.fit(dp.Transitions(states, actions, self.step(states, actions)))

    def planner(self, name):
        if PLANNERS[name] is not None:
            return PLANNERS[name]
        choices = self.actions(np.linspace(-1, 1, 5)[:, None])
        return dp.CategoricalCEM(actions=choices, horizon=HORIZON, clip=None)

    def earned(self, actions):
        """The true return of actions, counted from the start in units of one."""
        state, total = np.zeros(2), 0.0
        for action in self.own_actions(actions):
            state = A @ state + B @ action
            total -= (state[0] - 1.0) ** 2 + 0.1 * state[1] ** 2
        return total


HERE = Coordinates()
ELSEWHERE = {
    "a kilometre": Coordinates(origin=1e3),
    "map": Coordinates(origin=1e6),
    "far": Coordinates(origin=-1e9),
    "nano": Coordinates(unit=1e-9, force_unit=1e-9),
    "giga": Coordinates(unit=1e9, force_unit=1e9),
    "nanometres by giganewtons": Coordinates(unit=1e-9, force_unit=1e9),
    "map in millimetres": Coordinates(origin=1e9, unit=1e3),
    "nanometres on a wafer": Coordinates(origin=1e-2, unit=1e-9),
    "offset force": Coordinates(force_origin=1e6),
    "both": Coordinates(origin=-1e6, force_origin=3e5, force_unit=10.0),
}


def _plan(planner, where, given_by="matrices", reward=None, **arguments):
    return where.planner(planner).plan(
        where.model(given_by),
        where.reward() if reward is None else reward,
        where.start,
        action_space=where.box(),
        seed=3,
        **arguments,
    )


def _end_of(where, actions):
    state = np.zeros(2)
    for action in where.own_actions(actions):
        state = A @ state + B @ action
    return state


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("where", ELSEWHERE)
@pytest.mark.parametrize("given_by", GIVEN_BY)
def test_the_plan_is_the_same(planner, where, given_by):
    elsewhere = ELSEWHERE[where]
    expected = HERE.earned(_plan(planner, HERE).actions)
    plan = _plan(planner, elsewhere, given_by)
    assert elsewhere.earned(plan.actions) == pytest.approx(expected, rel=1e-3)
    assert plan.value == pytest.approx(expected, rel=1e-3)
    np.testing.assert_allclose(
        elsewhere.own_states(plan.states[-1]), _end_of(elsewhere, plan.actions), atol=2e-5
    )


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("where", ELSEWHERE)
@pytest.mark.parametrize("given_by", GIVEN_BY)
def test_nor_does_a_reward_in_python_change_it(planner, where, given_by):
    elsewhere = ELSEWHERE[where]
    goal = elsewhere.states([1.0, 0.0])

    def reward(states, actions, next_states):
        gaps = (next_states - goal) / elsewhere.unit
        return -(gaps[:, 0] ** 2) - 0.1 * gaps[:, 1] ** 2

    expected = HERE.earned(_plan(planner, HERE).actions)
    plan = _plan(planner, elsewhere, given_by, reward)
    assert elsewhere.earned(plan.actions) == pytest.approx(expected, rel=1e-3)
    assert plan.value == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("reward", ["built in", "python"])
@pytest.mark.parametrize("where", ELSEWHERE)
def test_nor_what_is_still_to_come_nor_where_an_episode_ends(where, reward):
    def plan(here):
        term = here.reward()

        def in_python(states, actions, next_states):
            return term(states, actions, next_states)

        return _plan(
            "cem",
            here,
            reward=term if reward == "built in" else in_python,
            termination=dp.terminations.outside(
                here.states([-10.0, -0.52]), here.states([10.0, 0.52])
            ),
            terminal_value=lambda states: 5.0 * here.own_states(states)[:, 0],
        )

    elsewhere = ELSEWHERE[where]
    expected, found = plan(HERE), plan(elsewhere)
    assert found.value == pytest.approx(expected.value, rel=1e-3)
    ends = elsewhere.own_states(found.states[-1]), expected.states[-1]
    np.testing.assert_allclose(*ends, atol=0.02)


@pytest.mark.parametrize("where", ELSEWHERE)
@pytest.mark.parametrize("planner", ["cem", "icem", "mppi"])
def test_nor_the_states_and_rates_that_are_allowed(planner, where):
    # Of some hundred candidates enough are allowed for the plan not to hang on one of them.
    many = PLANNERS | {"icem": dp.ICEM(horizon=HORIZON, candidates=400, elites=40, clip=None)}

    def plan(here):
        limits = dp.Limits(
            state_high=here.states([0.87, 0.43]),
            state_low=here.states([-5.0, -5.0]),
            action_rate=[0.2 * here.force_unit],
        )
        return many[planner].plan(
            here.model("matrices"),
            here.reward(),
            here.start,
            action_space=here.box(),
            limits=limits,
            previous_action=[here.actions(0.0)],
            seed=3,
        )

    elsewhere = ELSEWHERE[where]
    expected, found = plan(HERE), plan(elsewhere)
    assert elsewhere.earned(found.actions) == pytest.approx(HERE.earned(expected.actions), rel=1e-2)
    assert (elsewhere.own_states(found.states).max(axis=0) <= [0.87 + 1e-4, 0.43 + 1e-4]).all()
    assert np.abs(np.diff(elsewhere.own_actions(found.actions[:, 0]))).max() <= 0.2 + 1e-6


@pytest.mark.parametrize("planner", ["cem", "icem", "mppi"])
@pytest.mark.parametrize("given_by", GIVEN_BY)
@pytest.mark.parametrize("where", ["map", "far", "both"])
def test_a_controller_arrives(planner, given_by, where):
    elsewhere = ELSEWHERE[where]
    mpc = dp.MPC(
        elsewhere.model(given_by),
        elsewhere.reward(),
        action_space=elsewhere.box(),
        planner=elsewhere.planner(planner),
        seed=0,
    )
    state = np.zeros(2)
    for _ in range(120):
        state = A @ state + B @ elsewhere.own_actions(mpc.act(elsewhere.states(state)))
    np.testing.assert_allclose(state, [1.0, 0.0], atol=0.05)


@pytest.mark.parametrize("planner", ["cem", "icem", "mppi", "random shooting"])
def test_a_box_far_from_zero_is_searched_as_finely_as_one_at_zero(planner):
    one = dp.FunctionModel(lambda s, a: s + 0.1 * (a - 1e6), 1, 1)
    near = dp.FunctionModel(lambda s, a: s + 0.1 * a, 1, 1)
    expected = PLANNERS[planner].plan(
        near, dp.rewards.quadratic([1.0], of="state"), [-0.1], action_space=([0.0], [1.0]), seed=0
    )
    found = PLANNERS[planner].plan(
        one,
        dp.rewards.quadratic([1.0], of="state"),
        [-0.1],
        action_space=([1e6], [1e6 + 1]),
        seed=0,
    )
    assert found.value == pytest.approx(expected.value, rel=1e-3)
    np.testing.assert_allclose(found.actions - 1e6, expected.actions, atol=1e-3)


@pytest.mark.parametrize("constant", [1.0, 1e3, 1e7, -1e12])
@pytest.mark.parametrize("planner", PLANNERS)
def test_a_reward_may_have_any_constant(planner, constant):
    added = HERE.reward() + constant * dp.rewards.inside([-1e30, -1e30], [1e30, 1e30])
    expected = HERE.earned(_plan(planner, HERE).actions)
    assert HERE.earned(_plan(planner, HERE, reward=added).actions) == pytest.approx(
        expected, rel=1e-3
    )


@pytest.mark.parametrize("weight", [1e-44, 1e-30, 1e30, 1e44])
@pytest.mark.parametrize("planner", PLANNERS)
def test_a_reward_may_have_any_unit(planner, weight):
    expected = HERE.earned(_plan(planner, HERE).actions)
    plan = _plan(planner, HERE, reward=weight * HERE.reward())
    assert HERE.earned(plan.actions) == pytest.approx(expected, rel=1e-3)
    assert plan.value == pytest.approx(weight * expected, rel=1e-3)


@pytest.mark.parametrize("where", ["map", "far", "offset force"])
def test_the_plan_is_the_same_bits_whatever_the_threads(where):
    here = ELSEWHERE[where]
    plans = [
        dp.CEM(horizon=HORIZON, clip=None, threads=threads).plan(
            here.model("matrices"), here.reward(), here.start, action_space=here.box(), seed=1
        )
        for threads in (1, 2, 1)
    ]
    for plan in plans[1:]:
        np.testing.assert_array_equal(plan.actions, plans[0].actions)
        assert plan.value == plans[0].value


def _in_compiled(where, dtype):
    """The reward of `where` as a function of one step, and as a term that computes in `dtype`."""
    numba = pytest.importorskip("numba")
    goal, unit = where.states([1.0, 0.0]), where.unit

    @numba.cfunc(getattr(dp.signatures, f"REWARD_{dtype.upper()}").numba)
    def reward(state, action, next_state, stride, lanes, step, user_data, reward):  # noqa: PLR0917
        for k in range(lanes):
            gap = (next_state[k] - goal[0]) / unit
            speed = (next_state[stride + k] - goal[1]) / unit
            reward[k] = -gap * gap - 0.1 * speed * speed

    return dp.rewards.compiled(reward, state_dim=2, action_dim=1)


@pytest.mark.parametrize("where", ELSEWHERE)
def test_a_compiled_function_of_float64_is_given_all_digits(where):
    elsewhere = ELSEWHERE[where]
    expected = HERE.earned(_plan("cem", HERE).actions)
    plan = _plan("cem", elsewhere, reward=_in_compiled(elsewhere, "float64"))
    assert elsewhere.earned(plan.actions) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("kind", ["reward", "model", "termination"])
def test_a_compiled_function_of_float32_is_refused_where_that_is_too_coarse(kind):
    numba = pytest.importorskip("numba")
    signatures = dp.signatures

    @numba.cfunc(signatures.DYNAMICS_FLOAT32.numba)
    def step(state, action, stride, lanes, user_data, next_state):  # noqa: PLR0917
        for k in range(lanes):
            next_state[k] = state[k] + np.float32(DT) * state[stride + k]
            next_state[stride + k] = state[stride + k] + np.float32(DT) * action[k]

    @numba.cfunc(signatures.TERMINATION_FLOAT32.numba)
    def never(state, action, next_state, stride, lanes, step, user_data, ended):  # noqa: PLR0917
        pass

    def plan(where):
        model, reward, termination = where.model("matrices"), where.reward(), None
        if kind == "model":
            model = dp.CompiledModel(step, state_dim=2, action_dim=1)
        elif kind == "reward":
            reward = _in_compiled(where, "float32")
        else:
            termination = dp.terminations.compiled(never, state_dim=2, action_dim=1)
        return dp.CEM(horizon=HORIZON, clip=None).plan(
            model,
            reward,
            where.start,
            action_space=where.box(),
            termination=termination,
            seed=3,
        )

    assert plan(HERE).value == pytest.approx(HERE.earned(plan(HERE).actions), rel=1e-3)
    for origin in (1e6, 1e9):
        with pytest.raises(
            dp.ArgumentError, match=rf"{kind}: a compiled function of float32.*state\[0\] = 1"
        ):
            plan(Coordinates(origin=origin))


@pytest.mark.parametrize("model", [dp.MLP, dp.GaussianMLP, dp.Ensemble])
@pytest.mark.parametrize("where", ["map", "far", "nano", "both"])
def test_a_network_learned_elsewhere_plans_as_well(model, where):
    elsewhere = ELSEWHERE[where]
    generator = np.random.default_rng(0)
    states = elsewhere.states(generator.normal(size=(400, 2)))
    actions = elsewhere.actions(generator.uniform(-1, 1, size=(400, 1)))
    data = dp.Transitions(states, actions, elsewhere.step(states, actions))
    plan = dp.CEM(horizon=HORIZON).plan(
        model.fit(data, seed=0),
        elsewhere.reward(),
        elsewhere.start,
        action_space=elsewhere.box(),
        seed=3,
    )
    # Training rounds, so the networks differ a little; the best that is known earns -9.24.
    assert elsewhere.earned(plan.actions) >= -9.3
    assert plan.value == pytest.approx(elsewhere.earned(plan.actions), rel=0.02)


@pytest.mark.parametrize("where", [HERE, Coordinates(origin=5.0)])
def test_a_reward_that_is_the_same_for_all_plans_is_no_matter_of_precision(where):
    numba = pytest.importorskip("numba")

    @numba.cfunc(dp.signatures.REWARD_FLOAT32.numba)
    def nothing(state, action, next_state, stride, lanes, step, user_data, reward):  # noqa: PLR0917
        for k in range(lanes):
            reward[k] = -1.0

    reward = dp.rewards.compiled(nothing, state_dim=2, action_dim=1)
    assert _plan("cem", where, reward=reward).value == -HORIZON
    # Nor is that no plan is allowed.
    limits = dp.Limits(state_high=where.states([-1.0, 10.0]))
    with pytest.warns(dp.FailedPlanWarning):
        dp.MPC(
            where.model("matrices"),
            _in_compiled(where, "float32"),
            action_space=where.box(),
            limits=limits,
            planner=dp.CEM(horizon=5),
            seed=0,
        ).act(where.start)
