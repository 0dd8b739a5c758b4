"""A plan that is made for later begins where the system is then."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import dynaplan as dp
from dynaplan.control.memory import SystemMemory
from dynaplan.control.timed_plan import Sender, Sight
from dynaplan.control.timed_planner import TimedPlanner

Floats = NDArray[np.float64]

STEP = 1.0  # of the clock, in seconds, so long that no plan is cut short
A = np.array([[1.0, 0.01], [0.02, 1.0]])
B = np.array([[0.0], [0.05]])
MODEL = dp.LinearModel(A, B)
REWARD = dp.rewards.quadratic([1.0, 0.1]) + dp.rewards.action_cost([0.01])
BOX = ([-3.0], [3.0])
START = np.array([0.5, 0.0])
CEM = dp.CEM(horizon=15, candidates=64, elites=8, iterations=3)


def mpc_of(planner: dp.Planner = CEM, delay_steps: int = 0) -> dp.MPC:
    return dp.MPC(MODEL, REWARD, planner, action_space=BOX, delay_steps=delay_steps, seed=1)


def moved(state: Floats, action: Floats) -> Floats:
    return state @ A.T + action @ B.T


class System:
    """Obeys the plans, step by step, as they are when a step begins."""

    def __init__(self, mpc: dp.MPC, planner: TimedPlanner) -> None:
        self.mpc, self.planner, self.sender = mpc, planner, Sender(np.zeros((1, 1)))
        self.states = [START]
        self.sent = [np.zeros(1)] * max(mpc.delay_steps, 2)  # that long before the first step
        self._rest = len(self.sent)

    def sent_before(self, step: int) -> Floats:
        return np.array(self.sent[step : step + self._rest])

    def at(self, step: int) -> Floats:
        while len(self.states) <= step:
            now = len(self.states) - 1
            sight = Sight(self.states[-1][None], now * STEP)
            self.sender.send(self.planner.plans, (now + 0.5) * STEP, sight, self.mpc._prepared)
            self.sent.append(self.sender.last[0])
            acting = self.sent[now + self._rest - self.mpc.delay_steps]
            self.states.append(moved(self.states[-1], acting))
        return self.states[step]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), min_size=2, max_size=8),
    st.integers(1, 6),
    st.integers(0, 2),
    st.booleans(),
)
def test_a_plan_begins_where_the_system_is_when_it_begins(
    delays: list[tuple[int, int]], period: int, plant_delay: int, has_gains: bool
) -> None:
    if has_gains:  # of what was sent before the observation only what was planned is known
        period, plant_delay = max(period, 2), 0
    mpc = mpc_of(dp.ILQR(horizon=15) if has_gains else CEM, delay_steps=plant_delay)
    planner = TimedPlanner(mpc, period * STEP, STEP)
    system, begins, seen, expected = System(mpc, planner), -1, -1, []
    for idle, waited in delays:  # how long no plan is made, and how old the state is then
        now = max(begins + idle, 0)
        system.at(now)
        if now > begins + plant_delay:
            system.states[now] = system.states[now] + [0.1, -0.2]  # which nothing has foreseen
        oldest = now if now > begins + plant_delay else seen + 1  # each is newer than the last
        seen = max(now - min(waited, period), oldest)
        assert planner.plan(Sight(system.states[seen][None], seen * STEP), now * STEP)
        begins = round(planner.plans[0].begins / STEP)
        assert begins >= now + period // 2
        assert mpc.last_plan is not None
        expected.append((begins, mpc._systems[0].last_actions, mpc.last_plan.states[0]))
    for step, sent, state in expected:
        np.testing.assert_allclose(state, system.at(step + plant_delay), rtol=0.0, atol=1e-6)
        np.testing.assert_allclose(sent, system.sent_before(step), rtol=0.0, atol=1e-9)


def test_a_state_that_has_waited_is_planned_from_for_later() -> None:
    planner = TimedPlanner(mpc_of(), 4 * STEP, STEP)
    for waited, steps in ((0.0, 4), (1.9, 4), (2.1, 4 + 3), (6.5, 4 + 7), (99.5, 4 + 100)):
        assert planner.plan(Sight(START[None], 50.0), 50.0 + waited * STEP)
        assert planner.plans[0].begins == pytest.approx(50.0 + steps * STEP)
    before = planner.plans
    assert not planner.plan(Sight(START[None], 50.0), 50.0 + 1000.1 * STEP)
    assert planner.plans is before


def test_a_model_that_diverges_before_a_plan_begins_is_told() -> None:
    model = dp.LinearModel([[1e200]], [[1.0]])
    mpc = dp.MPC(model, dp.rewards.quadratic([1.0]), CEM, action_space=BOX, seed=0)
    planner = TimedPlanner(mpc, 4 * STEP, STEP)
    with pytest.raises(dp.NumericalError, match="period: the model predicts a state that is not f"):
        planner.plan(Sight(np.array([[1e200]]), 0.0), 0.0)


def test_what_was_really_sent_replaces_what_was_planned() -> None:
    memory = SystemMemory(np.array([[1.0], [2.0], [3.0]]), 2, None)
    np.testing.assert_array_equal(memory.last_actions, [[2.0], [3.0]])
    memory.correct_sent(np.array([[5.0], [7.0]]))
    np.testing.assert_array_equal(memory.sent, [[5.0], [7.0]])
    np.testing.assert_array_equal(memory.last_actions, [[5.0], [7.0]])
    assert memory.memory.previous_change == 2.0
    alone = SystemMemory(np.array([[1.0]]), 0, None)
    np.testing.assert_array_equal(alone.last_actions, [[1.0], [1.0]])
    alone.correct_sent(np.array([[5.0], [7.0]]))
    np.testing.assert_array_equal(alone.last_actions, [[5.0], [7.0]])
    assert alone.sent == []
