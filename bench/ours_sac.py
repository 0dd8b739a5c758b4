"""`dp.SAC.update`, in the same form as the peers in `bench/peers`."""

from __future__ import annotations

import numpy as np

import dynaplan as dp
from bench.case import Prepared
from bench.sac_workload import (
    BATCH,
    BEFORE_ANSWER,
    DISCOUNT,
    LEARNING_RATE,
    TAU,
    UPDATES,
    SacUpdates,
    Spaces,
)


def update(inputs: SacUpdates, threads: int) -> Prepared:
    """50 updates in one call, batches drawn from the replay included."""

    def fresh() -> dp.SAC:
        agent = dp.SAC(
            Spaces(),
            hidden=inputs.hidden,
            batch_size=BATCH,
            learning_rate=LEARNING_RATE,
            tau=TAU,
            discount=DISCOUNT,
            buffer_size=len(inputs.states),
            seed=0,
            threads=threads,
        )
        agent.observe(
            inputs.states, inputs.actions, inputs.rewards, inputs.next_states, inputs.terminated
        )
        return agent

    agent = fresh()

    def answer() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        new = fresh()
        new.update(BEFORE_ANSWER)
        return np.array([new.update(UPDATES).critic_loss])

    return Prepared(lambda: agent.update(UPDATES), answer, note="one call of update(50)")
