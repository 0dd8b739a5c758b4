"""Gaussian processes."""

from typing import Final

from dynaplan._core._arrays import _Float64
from dynaplan._core.models import Dynamics

class GaussianProcess:
    """Factored covariances of rows, one for each state; immutable."""

    @staticmethod
    def fit(
        inputs: _Float64,
        changes: _Float64,
        state_sizes: _Float64,
        starts: int,
        hyperparameter_rows: int,
        seed: int,
        threads: int,
    ) -> GaussianProcess: ...
    @staticmethod
    def from_arrays(
        inputs: _Float64,
        changes: _Float64,
        inverse_length_scales: _Float64,
        signal_std: _Float64,
        noise_std: _Float64,
    ) -> GaussianProcess: ...
    def with_noise(self, noise_std: _Float64) -> GaussianProcess: ...
    def dynamics(self) -> Dynamics: ...
    def predict(
        self, states: _Float64, actions: _Float64, threads: int
    ) -> tuple[_Float64, _Float64, _Float64]: ...
    state_dim: Final[int]
    action_dim: Final[int]
    inputs: Final[_Float64]
    changes: Final[_Float64]
    inverse_length_scales: Final[_Float64]
    signal_std: Final[_Float64]
    noise_std: Final[_Float64]
    log_marginal_likelihood: Final[_Float64]
    left_out_disagreement: Final[_Float64]
