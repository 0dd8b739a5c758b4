"""A real quadrotor's flights as data for models of one step; DYNAPLAN_FLIGHTS names the file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from bench.case import Prepared
from bench.workloads import FloatArray

STATES = ("omegax", "omegay", "omegaz", "pitch", "roll", "yaw", "linax", "linay", "linaz")
ACTIONS = ("m1pwm", "m2pwm", "m3pwm", "m4pwm")
SPLITS = tuple(range(10))
# What the tuned ensemble is chosen from.
HIDDEN = ((64, 64), (128, 128))
LEARNING_RATES = (1e-3, 3e-3)
WEIGHT_DECAYS = (1e-4, 1e-2)


@dataclass(frozen=True)
class Rows:
    """Transitions as float64 arrays (N, 9), (N, 4), (N, 9)."""

    states: FloatArray
    actions: FloatArray
    next_states: FloatArray


@dataclass(frozen=True)
class Split:
    """Whole flights, to train on, to stop the training by, and to judge by."""

    train: Rows
    held_out: Rows
    test: Rows

    @cached_property
    def scale(self) -> FloatArray:
        """(9,) standard deviations of the changes, of all rows that models see."""
        changes = [part.next_states - part.states for part in (self.train, self.held_out)]
        deviations: FloatArray = np.concatenate(changes).std(axis=0)
        return deviations

    def error(self, predicted: FloatArray) -> float:
        """Root mean squared error on the test flights in units of `scale`, over the states."""
        return self.error_on(self.test, predicted)

    def error_on(self, rows: Rows, predicted: FloatArray) -> float:
        """The same on any of the parts."""
        errors = (predicted - rows.next_states) / self.scale
        return float(np.sqrt((errors**2).mean(axis=0)).mean())


def splits() -> list[Split]:
    """Returns ten splits of the 160 flights: 70 % to train, 10 % held out, 20 % to judge."""
    path = os.environ.get("DYNAPLAN_FLIGHTS")
    if not path:
        raise ImportError("DYNAPLAN_FLIGHTS does not name the file of the flights")
    table = np.genfromtxt(path, delimiter=",", names=True)

    def columns(names: tuple[str, ...]) -> FloatArray:
        return np.column_stack([table[name] for name in names])

    arrays = columns(STATES), columns(ACTIONS), columns(tuple(f"next_{name}" for name in STATES))
    flights = np.unique(table["flight"])
    made = []
    for seed in SPLITS:
        order = np.random.default_rng(seed).permutation(flights)
        ends = round(0.7 * len(order)), round(0.8 * len(order))
        parts = [np.isin(table["flight"], part) for part in np.split(order, ends)]
        made.append(Split(*(Rows(*(array[part] for array in arrays)) for part in parts)))
    return made


def ensemble(inputs: list[Split], threads: int) -> Prepared:
    """Ours: an ensemble as it comes, and how often its 90 % bands hold."""
    import dynaplan as dp

    def run() -> dict[str, float]:
        errors, covered = [], []
        for seed, split in enumerate(inputs):
            fitted = dp.Ensemble.fit(
                transitions(split.train),
                held_out=transitions(split.held_out),
                seed=seed,
                threads=threads,
            )
            said = fitted.predict(split.test.states, split.test.actions)
            errors.append(split.error(said.mean))
            band = 1.6449 * np.sqrt(said.aleatoric + said.epistemic)
            covered.append(float((np.abs(split.test.next_states - said.mean) <= band).mean()))
        return figures(errors) | {
            "least cover %": 100 * min(covered),
            "greatest cover %": 100 * max(covered),
        }

    return Prepared(run, reports="facts")


def tuned_ensemble(inputs: list[Split], threads: int) -> Prepared:
    """Ours: for each split the ensemble of a grid with the least error on its held-out flights."""
    import dynaplan as dp

    def error_of(model: dp.Ensemble, rows: Rows, split: Split) -> float:
        return split.error_on(rows, model.predict(rows.states, rows.actions).mean)

    def run() -> dict[str, float]:
        errors = []
        for seed, split in enumerate(inputs):
            fits = [
                dp.Ensemble.fit(
                    transitions(split.train),
                    held_out=transitions(split.held_out),
                    hidden=hidden,
                    learning_rate=rate,
                    weight_decay=decay,
                    seed=seed,
                    threads=threads,
                )
                for hidden, rate, decay in product(HIDDEN, LEARNING_RATES, WEIGHT_DECAYS)
            ]
            best = min(fits, key=lambda model: error_of(model, split.held_out, split))
            errors.append(error_of(best, split.test, split))
        return figures(errors)

    return Prepared(run, reports="facts")


def single(inputs: list[Split], threads: int) -> Prepared:
    """Ours: one network as it comes."""
    import dynaplan as dp

    def run() -> dict[str, float]:
        errors = []
        for seed, split in enumerate(inputs):
            fitted = dp.MLP.fit(
                transitions(split.train),
                held_out=transitions(split.held_out),
                seed=seed,
                threads=threads,
            )
            errors.append(split.error(fitted.predict(split.test.states, split.test.actions).mean))
        return figures(errors)

    return Prepared(run, reports="facts")


def linear(inputs: list[Split], _threads: int) -> Prepared:
    """Ours: least squares on the rows of both parts."""
    import dynaplan as dp

    def run() -> dict[str, float]:
        errors = []
        for split in inputs:
            data = dp.Transitions.concatenate(
                [transitions(split.train), transitions(split.held_out)]
            )
            fitted = dp.LinearGaussian.fit(data)
            errors.append(split.error(fitted.predict(split.test.states, split.test.actions).mean))
        return figures(errors)

    return Prepared(run, reports="facts")


def transitions(rows: Rows) -> Any:
    """Returns the rows as dynaplan takes them."""
    import dynaplan as dp

    return dp.Transitions(rows.states, rows.actions, rows.next_states)


def figures(errors: list[float]) -> dict[str, float]:
    """Returns what a table shows of the errors of all splits."""
    return {"mean error": float(np.mean(errors)), "worst error": float(np.max(errors))}
