"""The training of networks."""

from collections.abc import Callable, Sequence

from dynaplan._core._arrays import _Float64
from dynaplan._core.networks import NetworkParameters

# (N, S) states, (N, A) actions, (N, S) next states, (N,) rewards or None.
_NetworkData = tuple[_Float64, _Float64, _Float64, _Float64 | None]

class NetworkFitSettings:
    """How networks are trained."""

    def __init__(
        self,
        *,
        epochs: int,
        batch_size: int,
        learning_rate: float,
        weight_decay: Sequence[float],
        patience: int,
        improvement: float,
        warm_up: int,
        robust: bool,
        bootstrap: bool,
        seed: int,
        threads: int,
        classify: bool = False,
        folds: Sequence[int] = ...,
    ) -> None: ...

def fit_networks(
    training: _NetworkData,
    held_out: _NetworkData | None,
    *,
    members: int,
    hidden: Sequence[int],
    activation: str,
    probabilistic: bool,
    angles: Sequence[int],
    rewards: bool,
    settings: NetworkFitSettings,
    initial: NetworkParameters | None,
    progress: Callable[[int, _Float64, _Float64], object] | None,
    periods: Sequence[float] = ...,
) -> tuple[NetworkParameters, _Float64, _Float64, list[int], bool]: ...
