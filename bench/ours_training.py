"""`dp.Ensemble.fit`, in the same form as the peers in `bench/peers`."""

from __future__ import annotations

import numpy as np

import dynaplan as dp
from bench.case import Prepared
from bench.training_workload import (
    BATCH,
    EPOCHS,
    LEARNING_RATE,
    WEIGHT_DECAY,
    NetworkTraining,
)


def fit(inputs: NetworkTraining, threads: int) -> Prepared:
    """A whole fit of 50 steps, scaling, weights and shuffling included."""
    data = dp.Transitions(inputs.states, inputs.actions, inputs.states + inputs.changes)

    def run() -> dp.Ensemble:
        return dp.Ensemble.fit(
            data,
            members=inputs.members,
            hidden=inputs.hidden,
            epochs=EPOCHS,
            batch_size=BATCH,
            learning_rate=LEARNING_RATE,
            weight_decay=WEIGHT_DECAY,
            held_out=0.0,
            warm_up=0,
            bootstrap=False,
            seed=0,
            threads=threads,
        )

    return Prepared(
        run, lambda: np.array([run().history.training[-1].mean()]), note="a whole Ensemble.fit"
    )
