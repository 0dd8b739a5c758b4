"""`GaussianMLP`: a network that predicts mean and variance of the next state."""

from __future__ import annotations

from collections.abc import Sequence

from dynaplan._docstrings import shares_arguments
from dynaplan.data.transitions import Transitions
from dynaplan.models.interface import Model
from dynaplan.models.networks import training
from dynaplan.models.networks.mlp import MLP
from dynaplan.models.networks.network_model import NetworkModel

__all__ = ["GaussianMLP"]


class GaussianMLP(NetworkModel):
    """A network that predicts mean and variance of the next state.

    Use `GaussianMLP.fit`. The variance is that of the system's own noise (`aleatoric`).
    """

    __slots__ = ()

    @classmethod
    @shares_arguments(MLP.fit)
    def fit(  # noqa: D417  # the decorator describes the others
        cls,
        data: Transitions,
        *,
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
        initial: GaussianMLP | None = None,
        prior: Model | None = None,
        progress: training.Progress | None = None,
        seed: int | None = None,
        threads: int = 1,
    ) -> GaussianMLP:
        """Trains the network on the Gaussian likelihood, after a warm-up on the squared error.

        The log-variances lie between two soft bounds that are learned too.

        Args:
            loss: "gaussian" (default), the likelihood of Gaussian noise; or "huber": Huber's loss
                in the warm-up, and then the likelihood of Student's t with 4 degrees of freedom,
                for which rows far off hardly count. The variance is that of Gaussian noise as most
                rows have it, unless more than some tenth of them are off. Wild ones are left out.
            warm_up: first epochs, on the squared error alone, so that no variance grows to explain
                what the mean could have learned, and then persists; `patience` starts after them.
                Default 20. None are made when training continues from `initial`.

        Returns:
            The trained model.

        Raises:
            ArgumentError: an argument is out of range, or `initial` has another shape or prior.
            ShapeError: `held_out` or `prior` has other dimensions.
            NumericalError: the loss stopped being finite; the message names the cause. Or a column
                varies by less than 1e-303 or more than 1e303, or one that is learned by less than
                1e-151 or more than 1e151, since its variance would not be a number.

        Source: Chua et al. 2018, sec. 4 and appendix A.1 (loss and bounds); Lange et al. 1989,
        "Robust statistical modeling using the t distribution".
        """
        return cls._fit(
            data,
            probabilistic=True,
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
            initial=initial,
            prior=prior,
            progress=progress,
            seed=seed,
            threads=threads,
        )
