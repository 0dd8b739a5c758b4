"""`Ensemble`: several networks, whose disagreement shows where the data are not enough."""

from __future__ import annotations

from collections.abc import Sequence

from dynaplan._docstrings import shares_arguments
from dynaplan.data.transitions import Transitions
from dynaplan.models.interface import Model
from dynaplan.models.networks import training
from dynaplan.models.networks.gaussian_mlp import GaussianMLP
from dynaplan.models.networks.network_model import NetworkModel

__all__ = ["Ensemble"]


class Ensemble(NetworkModel):
    """Several networks trained apart: their disagreement shows where the data are not enough.

    Use `Ensemble.fit`.
    """

    __slots__ = ()

    @classmethod
    @shares_arguments(GaussianMLP.fit)
    def fit(  # noqa: D417  # the decorator describes the others
        cls,
        data: Transitions,
        *,
        members: int = 5,
        probabilistic: bool = True,
        hidden: Sequence[int] = (64, 64),
        activation: str = "silu",
        angles: Sequence[int] = (),
        rewards: bool = False,
        loss: training.DensityLoss = "gaussian",
        epochs: int = training.EPOCHS,
        batch_size: int = training.BATCH_SIZE,
        learning_rate: float = training.LEARNING_RATE,
        weight_decay: float | Sequence[float] = training.WEIGHT_DECAY,
        held_out: float | Transitions = training.HELD_OUT,
        patience: int = training.PATIENCE,
        improvement: float = training.IMPROVEMENT,
        warm_up: int = training.WARM_UP,
        bootstrap: bool = True,
        initial: Ensemble | None = None,
        prior: Model | None = None,
        progress: training.Progress | None = None,
        seed: int | None = None,
        threads: int = 1,
    ) -> Ensemble:
        """Trains the members, each from its own weights and on its own draw of the rows.

        The held-out rows are the same for all; each member stops, and keeps the best of its
        weights, on its own.

        Args:
            members: networks, K. Default 5, as Chua et al. 2018.
            probabilistic: members predict variances (`GaussianMLP`), or means alone (`MLP`).
            bootstrap: each member learns from as many rows as there are, drawn once with
                replacement. Default True; else all see the same rows, each in its own order.

        Returns:
            The trained model.

        Raises:
            ArgumentError: an argument is out of range, or `initial` has another shape or prior.
            ShapeError: `held_out` or `prior` has other dimensions.
            NumericalError: the loss stopped being finite; the message names the cause. Or a column
                varies by less than 1e-303 or more than 1e303, or one that is learned by less than
                1e-151 or more than 1e151, since its variance would not be a number.

        Source: Chua et al. 2018, sec. 4; Lakshminarayanan et al. 2017 (deep ensembles).
        """
        return cls._fit(
            data,
            members=members,
            probabilistic=probabilistic,
            hidden=hidden,
            activation=activation,
            angles=angles,
            rewards=rewards,
            loss=loss,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            held_out=held_out,
            patience=patience,
            improvement=improvement,
            warm_up=warm_up,
            bootstrap=bootstrap,
            initial=initial,
            prior=prior,
            progress=progress,
            seed=seed,
            threads=threads,
        )
