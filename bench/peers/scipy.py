"""SciPy: dense least squares by pivoted QR."""

from __future__ import annotations

import scipy.linalg

from bench.case import Prepared
from bench.peers.numpy import features_of
from bench.workloads import Regression


def least_squares(inputs: Regression, threads: int) -> Prepared:
    """`scipy.linalg.lstsq` with driver gelsy on ready-made features, no finiteness check."""
    features, targets = features_of(inputs), inputs.next_states

    def run() -> object:
        return scipy.linalg.lstsq(features, targets, lapack_driver="gelsy", check_finite=False)[0].T

    return Prepared(run, note="driver gelsy, check_finite=False")
