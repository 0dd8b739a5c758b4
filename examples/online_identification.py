"""Tracks a system that changes while it runs, with recursive least squares.

The gain of the actuator drops to half at step 300. With forgetting the estimate follows; without
it, the estimate ends between the two values.

Run: python examples/online_identification.py
"""

from __future__ import annotations

import numpy as np

import dynaplan as dp

STEPS = 600
CHANGE_AT = 300
NOISE_STD = 0.01


def main() -> None:
    rng = np.random.default_rng(0)
    estimators = {
        forgetting: dp.RecursiveLeastSquares(1, 1, forgetting=forgetting)
        for forgetting in (1.0, 0.98)
    }
    print("  step  true gain" + "".join(f"  forgetting {f:g}" for f in estimators))
    state = np.zeros(1)
    for step in range(1, STEPS + 1):
        gain = 1.0 if step <= CHANGE_AT else 0.5
        action = rng.uniform(-1.0, 1.0, size=1)  # a system at rest teaches nothing
        next_state = 0.8 * state + gain * action + NOISE_STD * rng.normal(size=1)
        for estimator in estimators.values():
            estimator.update(state, action, next_state)
        state = next_state
        if step % 100 == 0 or step in (CHANGE_AT + 20, CHANGE_AT + 50):
            gains = [estimator.model().B[0, 0] for estimator in estimators.values()]
            print(f"{step:>6}{gain:>11.3f}" + "".join(f"{estimate:>14.3f}" for estimate in gains))
    for forgetting, estimator in estimators.items():
        print(f"forgetting {forgetting:g}: {estimator.rows:.1f} rows of weight in memory")


if __name__ == "__main__":
    main()
