"""`tune`: how large a search fits a control period on this machine, and which size plans best."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _tables, _texts
from dynaplan._docstrings import shares_arguments
from dynaplan._spaces import is_discrete
from dynaplan.control.mpc import MPC
from dynaplan.errors import ArgumentError, FailedPlanWarning, ShapeError
from dynaplan.models.interface import Model, known_of, require_model
from dynaplan.planners.categorical_cem import CategoricalCEM
from dynaplan.planners.icem import ICEM
from dynaplan.planners.interface import Planner
from dynaplan.planners.sampling import SamplingPlanner
from dynaplan.rewards.terms import Reward
from dynaplan.rollouts.rollout import returns, rollout
from dynaplan.terminations.terms import Termination

__all__ = ["Trial", "Tuning", "tune"]

Float64 = NDArray[np.float64]

_FEW, _MANY = 64, 256  # candidates; the time of a plan is taken to be linear in their number
_MAX_CANDIDATES = 100_000
_TIMED_PLANS = 20


@dataclass(frozen=True)
class Trial:
    """One size of the search.

    Attributes:
        planner: its settings.
        median: seconds of a plan.
        slowest: seconds that 99 in 100 plans stay below.
        value: mean return of its closed loops in the model; -inf if one of them diverges, nan if a
            plan does not fit the period.
    """

    planner: Planner
    median: float
    slowest: float
    value: float

    def __repr__(self) -> str:
        return _texts.object_text(self)


@dataclass(frozen=True)
class Tuning:
    """What `tune` found; it prints as a table.

    Attributes:
        planner: the best of those that fit the period.
        trials: all sizes, in the order in which they were tried.
        period: seconds between two actions.
        share: fraction of it that a plan may take.
    """

    planner: Planner
    trials: tuple[Trial, ...]
    period: float
    share: float

    def __str__(self) -> str:
        period, most = (
            _tables.number(1e3 * value) for value in (self.period, self.share * self.period)
        )
        rows = [["horizon", "iterations", "candidates", "median ms", "p99 ms", "return", ""]]
        for trial in self.trials:
            settings: Any = trial.planner
            sizes = settings.horizon, settings.iterations, settings.candidates
            times = (_tables.number(1e3 * value) for value in (trial.median, trial.slowest))
            value = "too slow" if np.isnan(trial.value) else _tables.number(trial.value)
            mark = "<- chosen" if trial.planner is self.planner else ""
            rows.append([f"{sizes[0]:>7}", *map(str, sizes[1:]), *times, value, mark])
        head = f"period {period} ms, of which a plan may take {most} ms"
        return "\n".join([head, *_tables.lines(rows)])

    def __repr__(self) -> str:
        return f"Tuning({self.planner!r}, {len(self.trials)} trials, period={self.period:g})"


@shares_arguments(Planner.plan)
def tune(  # noqa: D417  # the decorator describes the others
    period: float,
    model: Model,
    reward: Reward,
    *,
    action_space: Any,
    states: ArrayLike,
    planner: Planner | None = None,
    termination: Termination | None = None,
    horizons: Sequence[int] = (10, 20, 30),
    iterations: Sequence[int] = (1, 2, 3, 5),
    share: float = 0.7,
    time_limit: float = 20.0,
    seed: int = 0,
) -> Tuning:
    """Measures this machine and picks candidates, horizon and iterations for a control period.

    For each horizon and number of iterations it finds the largest number of candidates for which 99
    in 100 plans take at most `share` of the period; then it runs the closed loop inside the model
    and chooses the size with the largest mean return. Run it on the controller's machine under the
    controller's load. The times differ from run to run, and so may the choice.

    Args:
        period: seconds between two actions.
        states: (N, S) where closed loops begin, such as those of `env.reset()`; a few are enough.
            For a model with a history whole states, lags and all, as data with a history has them.
        planner: gives all other settings; one that draws candidates. Default: `ICEM()`, for a
            Discrete space `CategoricalCEM()`.
        horizons: horizons to try.
        iterations: numbers of iterations to try.
        share: fraction of the period that a plan may take; the rest is for everything else. Default
            0.7.
        time_limit: seconds that all closed loops may take together, roughly; it sets their number
            of steps, from 10 to 200.
        seed: seed of the plans, the same for every size.

    Returns:
        The choice and all trials.

    Raises:
        ShapeError: an array has the wrong shape.
        ArgumentError: an argument is out of range, or no size fits the period.

    Example:
        >>> s, a = np.array([[0.0], [1.0], [0.5], [-1.0]]), np.array([[1.0], [0.0], [-1.0], [1.0]])
        >>> model = dp.LinearGaussian.fit(dp.Transitions(s, a, 0.5 * s + a))
        >>> found = dp.tune(0.01, model, dp.rewards.quadratic([1.0]), action_space=([-1.0], [1.0]),
        ...                 states=[[1.0]], horizons=(5,), iterations=(2,), time_limit=0.2)
        >>> found.planner.horizon
        5
    """
    for name, value in (("period", period), ("time_limit", time_limit)):
        if not 0.0 < _arrays.real(name, value) < np.inf:
            raise ArgumentError(f"{name}: got {value}, must be finite and above 0")
    share = _arrays.positive_fraction("share", share)
    sizes = [
        (horizon, count)
        for horizon in _sizes("horizons", horizons)
        for count in _sizes("iterations", iterations)
    ]
    family = planner
    if family is None:
        family = CategoricalCEM() if is_discrete(action_space) else ICEM()
    if not isinstance(family, SamplingPlanner):
        raise TypeError(
            f"planner: got {_texts.shown(family)}, must be one that draws candidates, such as "
            "ICEM()"
        )
    require_model(model)
    starts = _arrays.rows("states", states, model.state_dim)
    if not len(starts):
        raise ShapeError(f"states: got 0 rows, must be (N, {model.state_dim}) with N at least 1")
    seed = _arrays.seed_number(seed)
    steps = int(np.clip(time_limit / (period * len(sizes) * len(starts)), 10, 200))
    loop = _Loop(model, reward, action_space, termination, starts, steps, share * period, seed)
    with warnings.catch_warnings():  # a trial that fails says so by its value
        warnings.simplefilter("ignore", FailedPlanWarning)
        trials = tuple(loop.trial(family, horizon, count) for horizon, count in sizes)
    fitting = [trial for trial in trials if not np.isnan(trial.value)]
    if not fitting:
        quickest = min(trial.slowest for trial in trials)
        raise ArgumentError(
            f"period: got {period}, must be longer: the fastest plan took {quickest:.3g} seconds "
            f"and may take {share:g} of the period"
        )
    return Tuning(max(fitting, key=lambda trial: trial.value).planner, trials, period, share)


def _sizes(name: str, values: Sequence[int]) -> list[int]:
    sizes = _arrays.counts(name, values)
    if not sizes:
        raise ArgumentError(f"{name}: got none, must be at least one")
    return [_arrays.at_least(1, name, size) for size in sizes]


@dataclass(frozen=True)
class _Loop:
    """The control loop that the sizes are tried in."""

    model: Model
    reward: Reward
    action_space: Any
    termination: Termination | None
    starts: Float64
    steps: int
    allowed: float  # seconds of a plan
    seed: int

    def trial(self, family: Planner, horizon: int, iterations: int) -> Trial:
        """Finds the largest number of candidates that fits, and the return of its closed loops."""
        few, many = (
            self._times(_sized(family, horizon, iterations, count))[1] for count in (_FEW, _MANY)
        )
        each = max((many - few) / (_MANY - _FEW), 1e-9)
        candidates = int(np.clip(_FEW + (self.allowed - few) / each, 2, _MAX_CANDIDATES))
        while True:
            planner = _sized(family, horizon, iterations, candidates)
            median, slowest = self._times(planner)
            if slowest <= self.allowed:
                return Trial(planner, median, slowest, self._value(planner))
            if candidates == 2:
                return Trial(planner, median, slowest, np.nan)
            candidates = max(2, int(0.8 * candidates))

    def _controller(self, planner: Planner) -> MPC:
        return MPC(
            self.model,
            self.reward,
            planner,
            action_space=self.action_space,
            termination=self.termination,
            trust="ignore",
            seed=self.seed,
        )

    def _times(self, planner: Planner) -> tuple[float, float]:
        """Returns median and 99th percentile of the seconds of a plan."""
        mpc, taken = self._controller(planner), []
        observed = self.starts[0, : mpc._past.observed]
        mpc.act(observed)
        for _ in range(_TIMED_PLANS):
            begin = time.perf_counter()
            mpc.act(observed)
            taken.append(time.perf_counter() - begin)
        return float(np.median(taken)), float(np.quantile(taken, 0.99))

    def _value(self, planner: Planner) -> float:
        """Returns the mean return of the closed loops."""
        mpc = self._controller(planner)
        totals = []
        for start in self.starts:
            self._begin(mpc, start)
            actions = np.array(list(self._actions(mpc, start)))[None]
            total = returns(self.model, self.reward, start, actions, termination=self.termination)
            totals.append(total[0] if np.isfinite(total[0]) else -np.inf)
        return float(np.mean(totals))

    def _begin(self, mpc: MPC, start: Float64) -> None:
        """Resets a controller to a state, of which the lags of a history say what was before."""
        states, actions = known_of(self.model).history or (0, 0)
        lags = np.split(start, [mpc._past.observed, mpc._past.observed * (1 + states)])[1:]
        seen, sent = (
            lag.reshape(-1, size)[::-1]
            for lag, size in zip(lags, (mpc._past.observed, self.model.action_dim), strict=True)
        )
        mpc.reset(
            previous_observations=seen if states else None,
            previous_actions=mpc._prepared.numbered(sent) if actions else None,
        )

    def _actions(self, mpc: MPC, state: Float64) -> Iterator[Float64]:
        for _ in range(self.steps):
            if np.isfinite(state).all():  # from elsewhere there is no plan, and no way back
                mpc.act(state[: mpc._past.observed])
                assert mpc.last_plan is not None
                action = mpc.last_plan.actions[0]
                state = rollout(self.model, state, action[None, None])[0, -1]
            yield action


def _sized(family: Planner, horizon: int, iterations: int, candidates: int) -> Planner:
    """Returns the settings with another size; elites stay the same share of the candidates."""
    settings: Any = family
    changes: dict[str, Any] = {"horizon": horizon, "candidates": candidates}
    if hasattr(settings, "iterations"):
        changes["iterations"] = iterations
    if hasattr(settings, "elites"):
        few = min(2, candidates)
        changes["elites"] = max(few, round(candidates * settings.elites / settings.candidates))
    if hasattr(settings, "effective_samples"):
        changes["effective_samples"] = min(settings.effective_samples, float(candidates))
    sized: Planner = replace(settings, **changes)
    return sized
