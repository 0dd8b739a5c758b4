"""The networks of learned terminations: how they are trained, and on which rows.

A network sees next states as its states, an action that is always 0, and predicts that the states
stay as they are and, as its reward, the log-odds of an end.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan import _core
from dynaplan.data.angles import Angles
from dynaplan.data.transitions import Transitions
from dynaplan.errors import ArgumentError
from dynaplan.models.networks.arrays import NetworkArrays
from dynaplan.models.networks.training import BATCH_SIZE, LEARNING_RATE, WEIGHT_DECAY

__all__ = ["FOLDS", "copies_of", "folds_of", "log_odds_of", "member_of", "trained"]

Float64 = NDArray[np.float64]

FOLDS = 5  # as many ends there must be, so that each fold has one


def copies_of(ends: NDArray[np.bool_]) -> int:
    """Returns how often each end is shown: so that rare ones are not drowned, nor all there is."""
    count = int(ends.sum())
    return max(1, round(math.sqrt((len(ends) - count) / count)))


def folds_of(data: Transitions, seed: int) -> NDArray[np.int64]:
    """Returns (N,) the fold of each row; whole episodes, and as many with an end in each.

    Raises:
        ArgumentError: there are too few ends for that, or too few rows that continue.
    """
    ends = data.terminations
    count = int(ends.sum())
    if min(count, len(ends) - count) < FOLDS:
        raise ArgumentError(
            f"data: {count} of {len(ends)} rows have terminations that are True, must be at least "
            f"{FOLDS}, and as many that are False; fewer do not show where episodes end: collect "
            "more, or write the rule down, as with dp.terminations.outside"
        )
    _, unit = np.unique(data.groups, return_inverse=True)
    unit = unit.reshape(-1)
    if np.bincount(unit, ends).max() > 1:  # what the log calls an episode goes on after an end
        unit = np.cumsum(np.diff(unit, prepend=unit[:1]) != 0) + np.cumsum(ends) - ends
    has_end = np.bincount(unit, ends) > 0
    fold = np.empty(len(has_end), np.int64)
    generator = np.random.default_rng(seed)
    for kind in (has_end, ~has_end):
        fold[generator.permutation(np.flatnonzero(kind))] = np.arange(kind.sum()) % FOLDS
    return fold[unit]


def trained(
    data: Transitions,
    angles: Angles,
    rows: NDArray[np.int64],
    folds: NDArray[np.int64],
    *,
    hidden: tuple[int, ...],
    epochs: int,
    seed: int,
    threads: int,
) -> NetworkArrays:
    """Returns a network of each fold, trained on the rows of the others."""
    states = data.next_states[rows]
    settings = _core.NetworkFitSettings(
        epochs=epochs,
        batch_size=BATCH_SIZE,
        learning_rate=LEARNING_RATE,
        weight_decay=[WEIGHT_DECAY],
        patience=1,
        improvement=0.0,
        warm_up=0,
        robust=False,
        bootstrap=False,
        seed=seed,
        threads=threads,
        classify=True,
        folds=folds[rows].tolist(),
    )
    # The states do not change, so that the reward is all there is to learn.
    steps = states, np.zeros((len(rows), 1)), states, data.terminations[rows].astype(np.float64)
    parameters, _, _, _, interrupted = _core.fit_networks(
        steps,
        None,
        members=FOLDS,
        hidden=hidden,
        activation="tanh",  # far from the data it is constant, where others grow
        probabilistic=False,
        angles=tuple(angles),
        rewards=True,
        settings=settings,
        initial=None,
        progress=None,
        periods=angles.core_periods,
    )
    if interrupted:
        raise KeyboardInterrupt
    return NetworkArrays.of(parameters)


def member_of(networks: NetworkArrays, index: int) -> NetworkArrays:
    """Returns one of several networks."""
    one = slice(index, index + 1)
    return replace(
        networks,
        weights=[weights[one] for weights in networks.weights],
        biases=[biases[one] for biases in networks.biases],
    )


def log_odds_of(network: _core.NetworkParameters, states: NDArray[Any]) -> Float64:
    """Returns (N,) the mean log-odds of an end, of next states (N, S)."""
    no_action = np.zeros((len(states), 1))
    return network.predict(np.ascontiguousarray(states, np.float64), no_action, 1)[3]
