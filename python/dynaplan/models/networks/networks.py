"""`MLP`, `GaussianMLP` and `Ensemble`: networks that predict the change of the state."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from dynaplan import _arrays
from dynaplan.data.transitions import Transitions
from dynaplan.errors import ArgumentError
from dynaplan.models.formats import exchange
from dynaplan.models.networks.arrays import NetworkUnits
from dynaplan.models.networks.network_model import NetworkModel
from dynaplan.models.networks.training import (
    Architecture,
    Progress,
    TrainingSettings,
    architecture_of,
    train,
    untrained,
)

if TYPE_CHECKING:
    import onnx
    import torch

__all__ = ["MLP", "Ensemble", "GaussianMLP"]

# Shared by the classes below; a docstring gives the reason of each.
_EPOCHS = 400
_BATCH_SIZE = 32
_LEARNING_RATE = 3e-3
_WEIGHT_DECAY = 1e-4
_HELD_OUT = 0.1
_PATIENCE = 50
_IMPROVEMENT = 0.01
_WARM_UP = 20

_Kind = TypeVar("_Kind", bound=NetworkModel)


class MLP(NetworkModel):
    """A network that predicts the mean of the next state: s' = s + f(s, a).

    Use `MLP.fit`. With noise to be learnt use `GaussianMLP`; for what the data do not say,
    `Ensemble`.
    """

    __slots__ = ()

    @classmethod
    def fit(
        cls,
        data: Transitions,
        *,
        hidden: Sequence[int] = (64, 64),
        activation: str = "silu",
        angles: Sequence[int] = (),
        rewards: bool = False,
        epochs: int = _EPOCHS,
        batch_size: int = _BATCH_SIZE,
        learning_rate: float = _LEARNING_RATE,
        weight_decay: float | Sequence[float] = _WEIGHT_DECAY,
        held_out: float | Transitions = _HELD_OUT,
        patience: int = _PATIENCE,
        improvement: float = _IMPROVEMENT,
        initial: MLP | None = None,
        progress: Progress | None = None,
        seed: int | None = None,
        threads: int = 1,
    ) -> MLP:
        """Trains the network on the squared error, by Adam on mini-batches.

        Inputs and targets are standardised by the training rows; an input that never varies is
        harmless, and what never changes is predicted to stay, with next to no variance. Ctrl-C
        ends the training early: the model returned is the best so far, and its
        `history.interrupted` is True.

        Args:
            data: transitions, from one on.
            hidden: units of each hidden layer; () is a linear model. Default (64, 64): enough for
                ten states, and quick to plan with.
            activation: "silu" (default; smooth, so that the model has derivatives), "tanh" or
                "relu".
            angles: the states that are angles in radians: the network sees their sin and cos, and
                their change is taken the short way round. Default: none.
            rewards: learn the reward of a step too, as one more output; `data` must have rewards.
            epochs: passes over the data, at most. Default 400: a few hundred rows are few steps an
                epoch, and `patience` stops earlier where rows are many.
            batch_size: rows a step. Default 32: small enough for some hundred rows.
            learning_rate: of Adam, above 0. Default 3e-3: with small networks and 200 rows of a
                pendulum, predictions were twice as good as with the usual 1e-3.
            weight_decay: decoupled: each step shrinks the weights, not the biases, by the share
                learning_rate x weight_decay; one number, or one for each layer. Default 1e-4.
            held_out: share of the rows, drawn at random, that is not trained on and decides when
                to stop and which weights to keep; or the transitions to do so with, such as
                flights of their own. 0: train all epochs and keep the last weights. Default 0.1.
            patience: epochs without improvement on the held-out rows after which training stops.
            improvement: share by which the held-out squared error (or variance) must fall to
                count as an improvement. Default 0.01, as Chua et al.'s successors use. The best
                weights are kept whatever their lead.
            initial: a model of the same shape to go on from, on other or more data. Its weights
                are brought to the units of the new data first, so that it begins as the same
                function; but stretched along an input that varies many times more than before,
                since steep weights would not learn, and from its new mean where a target never
                varied before.
            progress: called after every epoch as `progress(epoch, training, held_out)`, with the
                losses of each member, (K,) arrays as in `history`.
            seed: of the weights, the held-out rows and the order of the rows: same seed, same
                bits, whatever `threads`. None draws anew.
            threads: threads to use, at most one a member.

        Returns:
            The trained model.

        Raises:
            ArgumentError: an argument is out of range, or `initial` has another shape.
            ShapeError: `held_out` has other dimensions.
            NumericalError: the loss stopped being finite; the message names the cause.

        Source: Kingma & Ba 2015 (Adam); Loshchilov & Hutter 2019 (decoupled weight decay).

        Example:
            >>> s, a = np.random.default_rng(0).normal(size=(2, 300, 1))
            >>> data = dp.Transitions(s, a, s + 0.1 * np.sin(3.0 * a))
            >>> model = dp.MLP.fit(data, seed=0)
            >>> bool(abs(model.predict([0.0], [0.5]).mean[0, 0] - 0.1 * np.sin(1.5)) < 0.01)
            True
        """
        architecture = architecture_of(data, 1, False, hidden, activation, angles, rewards)
        settings = _settings(
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            held_out=held_out,
            patience=patience,
            improvement=improvement,
            warm_up=0,
            bootstrap=False,
            seed=seed,
        )
        return _fit(cls, data, architecture, settings, held_out, initial, progress, threads)

    @classmethod
    def from_torch(cls, module: torch.nn.Module, units: NetworkUnits | None = None) -> MLP:
        """Takes the weights of a `torch.nn.Sequential`, or of what `to_torch` made.

        Args:
            module: Linear layers with SiLU, Tanh or ReLU between them, the same everywhere.
            units: of the inputs and outputs of a Sequential. Default: not scaled.
        """
        return cls(untrained(exchange.from_torch(module, units)))

    @classmethod
    def from_onnx(
        cls, model: onnx.ModelProto | str | os.PathLike[str], units: NetworkUnits | None = None
    ) -> MLP:
        """Takes the weights of an ONNX graph that is a multilayer perceptron.

        Args:
            model: the model, or the name of its file.
            units: of the inputs and outputs of a graph that does not add the state.
        """
        return cls(untrained(exchange.from_onnx(model, units)))


class GaussianMLP(NetworkModel):
    """A network that predicts mean and variance of the next state.

    Use `GaussianMLP.fit`. The variance is that of the system's own noise (`aleatoric`).
    """

    __slots__ = ()

    @classmethod
    def fit(
        cls,
        data: Transitions,
        *,
        hidden: Sequence[int] = (64, 64),
        activation: str = "silu",
        angles: Sequence[int] = (),
        rewards: bool = False,
        epochs: int = _EPOCHS,
        batch_size: int = _BATCH_SIZE,
        learning_rate: float = _LEARNING_RATE,
        weight_decay: float | Sequence[float] = _WEIGHT_DECAY,
        held_out: float | Transitions = _HELD_OUT,
        patience: int = _PATIENCE,
        improvement: float = _IMPROVEMENT,
        warm_up: int = _WARM_UP,
        initial: GaussianMLP | None = None,
        progress: Progress | None = None,
        seed: int | None = None,
        threads: int = 1,
    ) -> GaussianMLP:
        """Trains the network on the Gaussian likelihood, after a warm-up on the squared error.

        The log-variances lie between two soft bounds that are learned too. `MLP.fit` says more of
        the arguments that both have.

        Args:
            data: transitions, from one on.
            hidden: units of each hidden layer.
            activation: "silu", "tanh" or "relu".
            angles: the states that are angles in radians.
            rewards: learn the reward of a step too.
            epochs: passes over the data, at most, the warm-up included.
            batch_size: rows a step.
            learning_rate: of Adam.
            weight_decay: decoupled, of the weights.
            held_out: share of the rows, or transitions, that decide when to stop.
            patience: epochs without improvement after which training stops; the warm-up does not
                count.
            improvement: share by which the error or variance must fall to count.
            warm_up: epochs on the squared error alone, so that no variance grows to explain what
                the mean could have learned, and then sticks. Default 20. None are made
                when training goes on from `initial`.
            initial: a model of the same shape to go on from.
            progress: called after every epoch as `progress(epoch, training, held_out)`.
            seed: same seed, same bits; None draws anew.
            threads: threads to use, at most one a member.

        Returns:
            The trained model.

        Raises:
            ArgumentError: an argument is out of range, or `initial` has another shape.
            ShapeError: `held_out` has other dimensions.
            NumericalError: the loss stopped being finite; the message names the cause.

        Source: Chua et al. 2018, sec. 4 and appendix A.1 (loss and bounds).
        """
        architecture = architecture_of(data, 1, True, hidden, activation, angles, rewards)
        settings = _settings(
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            held_out=held_out,
            patience=patience,
            improvement=improvement,
            warm_up=warm_up if initial is None else 0,
            bootstrap=False,
            seed=seed,
        )
        return _fit(cls, data, architecture, settings, held_out, initial, progress, threads)


class Ensemble(NetworkModel):
    """Several networks trained apart, so that where they differ shows what the data do not say.

    Use `Ensemble.fit`.
    """

    __slots__ = ()

    @classmethod
    def fit(
        cls,
        data: Transitions,
        *,
        members: int = 5,
        probabilistic: bool = True,
        hidden: Sequence[int] = (64, 64),
        activation: str = "silu",
        angles: Sequence[int] = (),
        rewards: bool = False,
        epochs: int = _EPOCHS,
        batch_size: int = _BATCH_SIZE,
        learning_rate: float = _LEARNING_RATE,
        weight_decay: float | Sequence[float] = _WEIGHT_DECAY,
        held_out: float | Transitions = _HELD_OUT,
        patience: int = _PATIENCE,
        improvement: float = _IMPROVEMENT,
        warm_up: int = _WARM_UP,
        bootstrap: bool = True,
        initial: Ensemble | None = None,
        progress: Progress | None = None,
        seed: int | None = None,
        threads: int = 1,
    ) -> Ensemble:
        """Trains the members, each from weights and on a draw of the rows of its own.

        `MLP.fit` and `GaussianMLP.fit` say more of the arguments that they have too.

        Args:
            data: transitions, from one on.
            members: networks, K. Default 5, as Chua et al. 2018.
            probabilistic: members predict variances (`GaussianMLP`), or means alone (`MLP`).
            hidden: units of each hidden layer.
            activation: "silu", "tanh" or "relu".
            angles: the states that are angles in radians.
            rewards: learn the reward of a step too.
            epochs: passes over the data, at most, the warm-up included.
            batch_size: rows a step.
            learning_rate: of Adam.
            weight_decay: decoupled, of the weights.
            held_out: share of the rows, or transitions, that decide for each member when it stops
                and which of its weights it keeps; the same rows for all.
            patience: epochs without improvement of a member after which it stops.
            improvement: share by which the error or variance must fall to count.
            warm_up: epochs on the squared error alone.
            bootstrap: each member learns from as many rows as there are, drawn once with
                replacement. Default True; else all see the same rows, in orders of their own.
            initial: an ensemble of the same shape to go on from.
            progress: called after every epoch as `progress(epoch, training, held_out)`.
            seed: same seed, same bits; None draws anew.
            threads: threads to use, at most one a member.

        Returns:
            The trained model.

        Raises:
            ArgumentError: an argument is out of range, or `initial` has another shape.
            ShapeError: `held_out` has other dimensions.
            NumericalError: the loss stopped being finite; the message names the cause.

        Source: Chua et al. 2018, sec. 4; Lakshminarayanan et al. 2017 (deep ensembles).
        """
        architecture = architecture_of(
            data, members, probabilistic, hidden, activation, angles, rewards
        )
        settings = _settings(
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            held_out=held_out,
            patience=patience,
            improvement=improvement,
            warm_up=warm_up if initial is None else 0,
            bootstrap=bootstrap,
            seed=seed,
        )
        return _fit(cls, data, architecture, settings, held_out, initial, progress, threads)


def _settings(  # one place where the arguments of three `fit`s become settings
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float | Sequence[float],
    held_out: float | Transitions,
    patience: int,
    improvement: float,
    warm_up: int,
    bootstrap: bool,
    seed: int | None,
) -> TrainingSettings:
    return TrainingSettings(
        epochs=_arrays.integer("epochs", epochs),
        batch_size=_arrays.integer("batch_size", batch_size),
        learning_rate=float(learning_rate),
        weight_decay=_decay(weight_decay),
        held_out=None if isinstance(held_out, Transitions) else float(held_out),
        patience=_arrays.integer("patience", patience),
        improvement=float(improvement),
        warm_up=_arrays.integer("warm_up", warm_up),
        bootstrap=bool(bootstrap),
        seed=_arrays.seed_number(seed),
    )


def _decay(weight_decay: float | Sequence[float]) -> float | tuple[float, ...]:
    if isinstance(weight_decay, Sequence):
        return tuple(float(decay) for decay in weight_decay)
    return float(weight_decay)


def _fit(  # noqa: PLR0917  # private, called with the names it takes
    kind: type[_Kind],
    data: Transitions,
    architecture: Architecture,
    settings: TrainingSettings,
    held_out: float | Transitions,
    initial: _Kind | None,
    progress: Progress | None,
    threads: int,
) -> _Kind:
    if initial is not None and not isinstance(initial, kind):
        raise ArgumentError(f"initial: got {type(initial).__name__}, must be {kind.__name__}")
    fitted = train(
        data,
        architecture,
        settings,
        held_out=held_out,
        initial=None if initial is None else initial._parameters,
        progress=progress,
        threads=threads,
    )
    return kind(fitted)
