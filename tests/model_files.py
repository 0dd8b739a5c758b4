"""Model files for tests: some that are good, and the means to change one and sign it anew."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import numpy as np

import dynaplan as dp

ZEROS = b"0" * 64


def transitions(rows: int = 40, seed: int = 0) -> dp.Transitions:
    generator = np.random.default_rng(seed)
    states, actions = generator.normal(size=(rows, 2)), generator.normal(size=(rows, 1))
    noise = 0.1 * generator.normal(size=(rows, 2))
    return dp.Transitions(states, actions, 0.9 * states + actions + noise)


def known() -> dp.LinearModel:
    return dp.LinearModel(0.8 * np.eye(2), [[0.9], [1.0]], noise=[0.1, 0.1])


def remembered() -> dp.Transitions:
    """The same, whose second state is the action a step before."""
    given = transitions()
    after = np.column_stack([given.next_states[:, 0], given.actions])
    return dp.Transitions(given.states, given.actions, after, known={1: ("action", 0)})


def with_lags(rows: int = 40) -> dp.Transitions:
    """An angle that one episode follows, and where it was a step before."""
    actions = np.random.default_rng(0).normal(size=(rows, 1))
    states = np.sin(np.cumsum(np.append(0.0, 0.3 * actions)))[:, None]
    data = dp.Transitions(states[:-1], actions, states[1:], angles={0: (-9.0, 9.0)})
    return data.with_history(states=1)


TRANSITIONS = transitions().states, transitions().actions, transitions().next_states

# Each setting of a model that a file must bring back.
MODELS = {
    "linear": lambda: dp.LinearGaussian.fit(transitions()),
    "quadratic": lambda: dp.LinearGaussian.fit(transitions(), features=dp.Polynomial(2)),
    "polynomial of degree 1": lambda: dp.LinearGaussian.fit(
        transitions(), features=dp.Polynomial(1), target="absolute"
    ),
    "linear in angles": lambda: dp.LinearGaussian.fit(
        dp.Transitions(*TRANSITIONS, angles={0: (-9.0, 9.0), 1: 9.0})
    ),
    "quadratic in angles": lambda: dp.LinearGaussian.fit(
        dp.Transitions(*TRANSITIONS, angles={0: (-9.0, 9.0), 1: 9.0}), features=dp.Polynomial(2)
    ),
    "quadratic in angles with a prior": lambda: dp.LinearGaussian.fit(
        dp.Transitions(*TRANSITIONS, angles={0: (-9.0, 9.0), 1: 9.0}),
        features=dp.Polynomial(2),
        prior=dp.LinearModel(0.8 * np.eye(2), [[0.9], [1.0]], angles={0: (-9.0, 9.0), 1: 9.0}),
    ),
    "no intercept, ridge": lambda: dp.LinearGaussian.fit(
        transitions(), intercept=False, ridge=0.1, weights=np.linspace(0.0, 1.0, 40)
    ),
    "sparse": lambda: dp.LinearGaussian.fit(
        transitions(), features=dp.Polynomial(2), threshold=0.2
    ),
    "with a prior": lambda: dp.LinearGaussian.fit(transitions(), prior=known()),
    "calibrated, noise and bands": lambda: dp.calibrate_bands(
        dp.LinearGaussian.fit(transitions()).calibrated(transitions(seed=1)), transitions(seed=1)
    ),
    "with known states": lambda: dp.LinearGaussian.fit(
        remembered(), features=dp.Polynomial(2), prior=known()
    ),
    "with a history": lambda: dp.LinearGaussian.fit(with_lags()),
    "float32 data": lambda: dp.LinearGaussian.fit(
        dp.Transitions(
            np.float32(transitions().states), [[1.0]] * 40, np.float32(transitions().next_states)
        ),
        features=dp.Polynomial(2),
    ),
}

# Gaussian processes of few rows.
PROCESSES = {
    "plain": lambda: dp.GaussianProcess.fit(transitions(20), starts=1, seed=0),
    "of angles with a prior": lambda: dp.GaussianProcess.fit(
        dp.Transitions(*TRANSITIONS, angles={0: (-9.0, 9.0), 1: 9.0}),
        starts=1,
        seed=0,
        prior=dp.LinearModel(0.8 * np.eye(2), [[0.9], [1.0]], angles={0: (-9.0, 9.0), 1: 9.0}),
    ),
    "calibrated, noise and bands": lambda: dp.calibrate_bands(
        dp.GaussianProcess.fit(transitions(), starts=1, seed=0).calibrated(transitions(seed=1)),
        transitions(seed=1),
    ),
}

LEARNT = dp.Transitions(
    transitions().states,
    transitions().actions,
    transitions().next_states,
    np.linspace(0.0, 1.0, 40),
)
SHORT = {"epochs": 3, "hidden": (4,), "seed": 0}
# Networks of each kind; each setting that changes what a file holds is there once.
NETWORKS = {
    "MLP": lambda: dp.MLP.fit(LEARNT, **SHORT),
    "MLP with rewards, linear": lambda: dp.MLP.fit(LEARNT, **{**SHORT, "hidden": ()}, rewards=True),
    "GaussianMLP": lambda: dp.GaussianMLP.fit(LEARNT, **SHORT, activation="tanh", angles=[1]),
    "Ensemble": lambda: dp.Ensemble.fit(LEARNT, **SHORT, members=3, rewards=True, held_out=LEARNT),
    "MLP with angles": lambda: dp.MLP.fit(
        dp.Transitions(*TRANSITIONS, angles={0: (-9.0, 9.0), 1: 9.0}), **SHORT
    ),
    "GaussianMLP with bands": lambda: dp.calibrate_bands(
        dp.GaussianMLP.fit(LEARNT, **SHORT), transitions(seed=1), propagation="ts1"
    ),
    "MLP with a prior": lambda: dp.MLP.fit(LEARNT, **SHORT, prior=known()),
    "Ensemble with a history": lambda: dp.Ensemble.fit(with_lags(), **SHORT, members=2),
    "Ensemble of means, none held out": lambda: dp.Ensemble.fit(
        LEARNT, **SHORT, members=2, probabilistic=False, held_out=0.0
    ),
    "Ensemble that stopped early": lambda: dp.Ensemble.fit(
        LEARNT,
        **{**SHORT, "epochs": 60},
        members=3,
        warm_up=0,
        patience=4,
        improvement=0.1,
        learning_rate=0.02,
    ),
}

ENDED = dp.Transitions(*TRANSITIONS, terminations=np.abs(TRANSITIONS[2][:, 0]) > 1.0)
OF_ANGLES = {"angles": {0: (-9.0, 9.0), 1: 9.0}}
TERMINATIONS = {
    "a network": lambda: dp.terminations.LearnedTermination.fit(ENDED, **SHORT),
    "linear, of angles": lambda: dp.terminations.LearnedTermination.fit(
        dp.Transitions(*TRANSITIONS, terminations=ENDED.terminations, **OF_ANGLES),
        hidden=(),
        threshold=0.2,
        epochs=3,
        seed=0,
    ),
}


def split(content: bytes) -> tuple[dict[str, Any], bytes]:
    """The header of a safetensors file, and its data."""
    end = 8 + int.from_bytes(content[:8], "little")
    return json.loads(content[8:end]), content[end:]


def joined(header: bytes | dict[str, Any], data: bytes) -> bytes:
    """A safetensors file as its format lays it out, without its package."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def signed(content: bytes) -> bytes:
    """The same file with the right checksum, as one who means harm would write it."""
    end = 8 + int.from_bytes(content[:8], "little")
    found = re.search(rb'sha256\\": ?\\"([^"\\]{64})\\"', content[8:end])
    if not found:
        return content
    start = 8 + found.start(1)
    blank = content[:start] + ZEROS + content[start + 64 :]
    return content[:start] + hashlib.sha256(blank).hexdigest().encode() + content[start + 64 :]
