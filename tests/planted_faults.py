"""Faults that logs have, one function each: from a system and a seed to what is diagnosed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import dynaplan as dp
from clean_logs import Log, clean_log, settings_of

Case = tuple[dp.Transitions, dict[str, Any]]


def usual(system: str, seed: int, **changes: Any) -> tuple[Log, Any]:
    """A clean log, and random numbers for the fault."""
    log = clean_log(system, seed, **{**settings_of(seed), **changes})
    return log, np.random.default_rng([seed, 99])


def gaps(system: str, seed: int) -> Case:
    log, rng = usual(system, seed)
    return log.rows(rng.random(len(log.states)) > 0.03).transitions(), {}


def wrong_next_states(system: str, seed: int) -> Case:
    log, _ = usual(system, seed)
    if seed % 2:
        log.next_states = log.states.copy()
    else:
        log.next_states[:-1] = log.next_states[1:]
    return log.transitions(), {}


def seams(system: str, seed: int) -> Case:
    # A reset is told from a step where it leads further than steps do.
    log, _ = usual(system, seed, spread=1.0 if system == "pendulum" else 8.0, length=30)
    log.next_states[:-1] = log.states[1:]
    if seed % 2:  # in one piece
        log.episodes[:] = 0
    return log.transitions(), {}


def lost_steps(system: str, seed: int) -> Case:
    log, rng = usual(system, seed)
    log = log.rows(np.sort(rng.permutation(len(log.states))[len(log.states) // 20 :]))
    last = np.diff(log.episodes, append=-1) != 0
    log.next_states = np.where(last[:, None], log.next_states, np.roll(log.states, -1, axis=0))
    return log.transitions(), {}


def shifted_actions(system: str, seed: int) -> Case:
    log, _ = usual(system, seed)
    delay = (1, 2, 4, -1)[seed % 4]
    rows = np.arange(len(log.states))
    from_row = np.clip(rows + delay, 0, len(rows) - 1)
    kept = (rows + delay == from_row) & (log.episodes[from_row] == log.episodes)
    log.actions = log.actions[from_row]
    return log.rows(kept).transitions(), {}


def constant_column(system: str, seed: int) -> Case:
    log, rng = usual(system, seed)
    if seed % 2:
        constant = np.full(len(log.states), 3.7)
        return log.with_state(constant, constant).transitions(), {}
    log.actions[:, rng.integers(log.actions.shape[1])] = 0.1
    return log.transitions(), {}


def dependent_columns(system: str, seed: int) -> Case:
    log, rng = usual(system, seed)
    if seed % 3 == 0:
        log.actions = np.column_stack([log.actions, 2.0 - 3.0 * log.actions[:, 0]])
        return log.transitions(), {}
    weights = rng.normal(size=log.states.shape[1]) if seed % 3 == 1 else np.eye(17)[0]
    weights = weights[: log.states.shape[1]]
    return log.with_state(log.states @ weights, log.next_states @ weights).transitions(), {}


def wrapped_angle(system: str, seed: int) -> Case:
    log, rng = usual(system, seed)
    period = (2.0 * np.pi, 360.0, 1.3)[seed % 3]
    # A wheel that the first state turns, besides turning by itself.
    first = (log.next_states[:, 0] - log.next_states[:, 0].mean()) / log.states[:, 0].std()
    speed = rng.uniform(0.02, 0.06) + 0.02 * np.clip(first, -3.0, 3.0)
    begins = np.flatnonzero(np.diff(log.episodes, prepend=-1))
    after = np.concatenate([np.cumsum(part) for part in np.split(speed, begins[1:])])
    after += rng.uniform(0.0, 1.0, len(begins))[log.episodes]
    now, after = ((part % 1.0 - 0.5 * (seed % 2)) * period for part in (after - speed, after))
    return log.with_state(now, after).transitions(), {}


def saturated_actions(system: str, seed: int) -> Case:
    kinds = ("random", "coloured", "feedback", "held")
    settings: dict[str, Any] = {"excitation": kinds[seed % 4], "width": 1.0}
    free, _ = usual(system, seed, **settings)
    bound = float(np.quantile(np.abs(free.actions), 0.4))
    log, _ = usual(system, seed, **settings, bound=bound)
    return log.transitions(), {}


def closed_loop(system: str, seed: int) -> Case:
    log, _ = usual(system, seed, excitation="feedback", dither=0.0)
    if seed % 2:
        dither = 0.03 * log.actions.std()
        log, _ = usual(system, seed, excitation="feedback", dither=dither, width=1.0)
    return log.transitions(), {}


def wild_values(system: str, seed: int) -> Case:
    log, rng = usual(system, seed)
    row, column = rng.integers(1, len(log.states)), rng.integers(log.states.shape[1])
    size = 1000.0 * np.ptp(log.states[:, column])
    log.states[row, column] += size
    if log.episodes[row - 1] == log.episodes[row]:
        log.next_states[row - 1, column] += size
    return log.transitions(), {}


def stuck_sensor(system: str, seed: int) -> Case:
    log, rng = usual(system, seed)
    column = rng.integers(log.states.shape[1])
    first = rng.choice(np.flatnonzero(np.diff(log.episodes, prepend=-1))) + rng.integers(2, 9)
    log.states[first : first + 20, column] = log.states[first, column]
    log.next_states[first : first + 19, column] = log.states[first, column]
    return log.transitions(), {}


def quantised_sensor(system: str, seed: int) -> Case:
    log, rng = usual(system, seed)
    column = rng.integers(log.states.shape[1])
    change = (log.next_states - log.states)[:, column].std()
    step = change * rng.uniform(0.8, 1.5)
    step = min(step, np.ptp(log.states[:, column]) / 7.0)
    for values in (log.states, log.next_states):
        values[:, column] = step * np.round(values[:, column] / step)
    return log.transitions(), {}


def uneven_time(system: str, seed: int) -> Case:
    log, rng = usual(system, seed)
    steps = 0.02 * np.exp(0.3 * rng.normal(size=len(log.states)))
    if seed % 2:
        steps = np.where(rng.random(len(steps)) < 0.05, 0.04, 0.02)
    return log.transitions(), {"time": 1e9 + np.cumsum(steps)}


def leakage(system: str, seed: int) -> Case:
    log, rng = usual(system, seed, length=100)
    if seed % 3 == 2:
        data = log.transitions()
        train, held_out = data.split(0.3, seed=seed)
        return train + held_out[: len(held_out) // 2], {"held_out": held_out}
    if seed % 3 == 1:  # measured apart
        spread = 1e-3 * (log.next_states - log.states).std(axis=0)
        log.next_states = log.next_states + spread * rng.normal(size=log.states.shape)
    data = log.transitions()
    held = rng.random(len(data)) < 0.3
    return data[~held], {"held_out": data[held]}


def outside_range(system: str, seed: int) -> Case:
    data = usual(system, seed)[0].transitions()
    near = data.states[:, 0] <= np.quantile(data.states[:, 0], 0.7)
    low, high = data.states[near, 0].min(), data.states[near, 0].max()
    far = data.states[:, 0] > high + 0.3 * (high - low)
    if np.count_nonzero(far) < 30:  # a column of a few values at its end, as a cosine has
        actions = data.actions + 2.0 * np.ptp(data.actions)
        return data, {"held_out": dp.Transitions(data.states, actions, data.next_states)}
    return data[near], {"held_out": data[far]}


def noisy_sensor(system: str, seed: int) -> Case:
    log, rng = usual(system, seed, count=2000, sensor=2.0)
    if seed % 2:  # states and next states measured apart
        log, _ = usual(system, seed, count=2000)
        spread = 2.0 * (log.next_states - log.states).std(axis=0)
        log.states = log.states + spread * rng.normal(size=log.states.shape)
        log.next_states = log.next_states + spread * rng.normal(size=log.states.shape)
    return log.transitions(), {}


def few_rows(system: str, seed: int) -> Case:
    log, _ = usual(system, seed)
    return log.rows(slice(3 + seed % 20)).transitions(), {}


def rewards(system: str, seed: int) -> Case:
    log, _ = usual(system, seed)
    return log.transitions(rewards=np.full(len(log.states), 0.1 * seed)), {}


def terminations(system: str, seed: int) -> Case:
    log, _ = usual(system, seed)
    ends = np.diff(log.episodes, append=-1) != 0
    if seed % 2:
        ends = np.roll(ends, -2)
    return log.transitions(terminations=ends), {}


def units(system: str, seed: int) -> Case:
    log, rng = usual(system, seed)
    column = rng.integers(log.states.shape[1])
    scale = (1e-9, 1e9)[seed % 2]
    return log.with_state(
        scale * log.states[:, column] ** 2, scale * log.next_states[:, column] ** 2
    ).transitions(), {}


def duplicate_rows(system: str, seed: int) -> Case:
    log, rng = usual(system, seed)
    if seed % 2:
        data = log.transitions()
        return data + data[: len(data) // 10], {}
    again = np.sort(np.append(np.arange(len(log.states)), rng.integers(len(log.states), size=30)))
    return log.rows(again).transitions(), {}


def time_column(system: str, seed: int) -> Case:
    log, _ = usual(system, seed)
    step = (1.0, 0.02, 1e-9)[seed % 3]
    now = (1e9 if step > 1e-3 else 0.0) + step * np.arange(len(log.states))
    return log.with_state(now, now + step).transitions(), {}


FAULTS: dict[str, Callable[[str, int], Case]] = {
    function.__name__: function
    for function in (
        few_rows,
        gaps,
        wrong_next_states,
        seams,
        lost_steps,
        wild_values,
        duplicate_rows,
        uneven_time,
        constant_column,
        time_column,
        dependent_columns,
        units,
        wrapped_angle,
        stuck_sensor,
        quantised_sensor,
        noisy_sensor,
        shifted_actions,
        closed_loop,
        saturated_actions,
        rewards,
        terminations,
        leakage,
        outside_range,
    )
}


def planted(kind: str, system: str, seed: int) -> Case:
    """A log with a fault, and the other arguments of `dp.diagnose`; what it warns of is known."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dp.SuspectDataWarning)
        return FAULTS[kind](system, seed)
