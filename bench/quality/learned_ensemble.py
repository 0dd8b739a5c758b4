"""`python -m bench.quality.learned_ensemble` trains the networks of the problem `ensemble`.

Their file is kept, since best known values are of these very weights.
"""

from __future__ import annotations

import gymnasium

import dynaplan as dp
from bench.quality.matrix_problems import ENSEMBLE_FILE

STEPS = 500


def main() -> None:
    """Learns from random steps and writes the file."""
    data = dp.collect(gymnasium.make("Pendulum-v1"), steps=STEPS, seed=0)
    dp.Ensemble.fit(data, members=5, hidden=(64, 64), seed=0, threads=2).save(ENSEMBLE_FILE)


if __name__ == "__main__":
    main()
