"""What a model has data of, which plans leave it, and what a controller does about that."""

from __future__ import annotations

import copy
import pickle

import numpy as np

import dynaplan as dp

SHORT = {"hidden": (8,), "epochs": 20, "seed": 0}


def transitions(rows: int, reach: float, seed: int) -> dp.Transitions:
    """Rows of s' = s + 0.1 sin(3 s) + 0.1 a with |s| <= reach and |a| <= 1."""
    generator = np.random.default_rng(seed)
    states = generator.uniform(-reach, reach, (rows, 1))
    actions = generator.uniform(-1.0, 1.0, (rows, 1))
    noise = 0.01 * generator.normal(size=(rows, 1))
    return dp.Transitions(
        states, actions, states + 0.1 * np.sin(3 * states) + 0.1 * actions + noise
    )


def test_an_ensemble_remembers_how_far_its_members_disagree_on_its_data():
    train, held_out = transitions(200, 0.3, seed=0), transitions(50, 0.3, seed=1)
    model = dp.Ensemble.fit(train, **SHORT, held_out=held_out)
    limits = [dp.DisagreementLimit.calibrated(model, part).limit for part in (train, held_out)]
    assert model.observed_disagreement == max(limits)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert twin.observed_disagreement == model.observed_disagreement


def test_networks_that_cannot_disagree_remember_none():
    train = transitions(50, 0.3, seed=0)
    for kind in (dp.MLP, dp.GaussianMLP):
        assert kind.fit(train, **SHORT).observed_disagreement is None
    assert dp.Ensemble.fit(train, **SHORT, members=1).observed_disagreement is None
