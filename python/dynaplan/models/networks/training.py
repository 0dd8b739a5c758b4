"""How networks are trained: the settings, what is recorded, and the call of the core."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _core, _texts
from dynaplan._settings import checked_settings
from dynaplan.data.angles import Angles
from dynaplan.data.known_states import NO_KNOWN_STATES, KnownStates
from dynaplan.data.transitions import Transitions
from dynaplan.data.wild_rows import wild_rows
from dynaplan.errors import ArgumentError, ShapeError
from dynaplan.models.interface import Model
from dynaplan.models.networks.arrays import NetworkArrays
from dynaplan.models.priors import rest_of, unlearned

__all__ = ["Architecture", "DensityLoss", "MeanLoss", "Progress", "TrainingHistory"]
__all__ += ["TrainingSettings"]

Float64 = NDArray[np.float64]
# (epoch, training loss of each member, held-out loss of each member)
Progress = Callable[[int, Float64, Float64], object]

MeanLoss: TypeAlias = Literal["squared_error", "huber"]
DensityLoss: TypeAlias = Literal["gaussian", "huber"]

# Defaults of every `fit`; `MLP.fit` and `GaussianMLP.fit` give the reasons.
EPOCHS = 400
BATCH_SIZE = 32
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 1e-4
HELD_OUT = 0.1
PATIENCE = 50
IMPROVEMENT = 0.01
WARM_UP = 20
_FAR = 150.0  # medians of the deviations from the median, some 100 standard deviations
_NEARLY_ALL = 0.99  # as of `DisagreementLimit.calibrated`


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """The shape of a network; with `TrainingSettings`, all arguments of `fit` but the data.

    Attributes:
        members: K, the networks of an ensemble; 1 for a single one.
        probabilistic: whether each predicts a variance beside every mean.
        hidden: units of each hidden layer.
        activation: the function between the layers.
        angles: the states that are angles.
        rewards: whether the reward is predicted too.
    """

    members: int
    probabilistic: bool
    hidden: tuple[int, ...]
    activation: str
    angles: tuple[int, ...]
    rewards: bool

    def __post_init__(self) -> None:
        checked_settings(self)

    @classmethod
    def of(cls, parameters: _core.NetworkParameters) -> Architecture:
        """Returns that of networks in the core."""
        values: dict[str, Any] = {}
        for field in fields(cls):
            value = getattr(parameters, field.name)
            values[field.name] = tuple(value) if isinstance(value, list) else value
        return cls(**values)

    @classmethod
    def given(  # noqa: PLR0917  # internal, called with the names it takes
        cls,
        members: int,
        probabilistic: bool,
        hidden: Sequence[int],
        activation: str,
        angles: Angles,
        rewards: bool,
    ) -> Architecture:
        """Returns what a `fit` is given."""
        _arrays.choice("activation", activation, "silu", "tanh", "relu")
        return cls(
            members=members,
            probabilistic=probabilistic,
            hidden=_arrays.counts("hidden", hidden),
            activation=activation,
            angles=tuple(angles),
            rewards=rewards,
        )


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How a network was trained; the arguments of `fit` by the same names.

    `held_out` is the fraction of the rows, or None where the held-out transitions were given, and
    `seed` is the number that was drawn where none was given.
    """

    loss: str
    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float | tuple[float, ...]
    held_out: float | None
    patience: int
    improvement: float
    warm_up: int
    bootstrap: bool
    seed: int

    def __post_init__(self) -> None:
        checked_settings(self)


@dataclass(frozen=True)
class TrainingHistory:
    """How the training went.

    Attributes:
        training: (epochs, K) mean loss of each member over the mini-batches of each epoch, each
            before its step; nan after a member has stopped. The loss is the squared error in
            standardised units, or with a variance v and after the warm-up
            `error^2 / v + log v`; or Huber's in their place.
        held_out: (epochs, K) the same over the held-out rows after each epoch; nan without any. Of
            Huber's loss without a variance, the squares of robust standard deviations.
        best_epoch: (K,) the epoch whose weights each member keeps, from 0; -1: its initial
            weights.
        interrupted: whether Ctrl-C ended the training. The model is usable nevertheless.
    """

    training: Float64
    held_out: Float64
    best_epoch: NDArray[np.intp]
    interrupted: bool

    def __repr__(self) -> str:
        return (
            f"TrainingHistory(epochs={len(self.training)}, members={self.training.shape[1]}, "
            f"interrupted={self.interrupted})"
        )


def usual_loss(kind: str) -> str:
    """Returns the loss that is no robust one, of a class of this name."""
    return "squared_error" if kind == "MLP" else "gaussian"


def decay_of(weight_decay: float | Sequence[float]) -> float | tuple[float, ...]:
    """Returns a weight decay of all layers, or one for each."""
    if isinstance(weight_decay, Sequence) and not isinstance(weight_decay, str | bytes):
        return tuple(_arrays.real("weight_decay", decay) for decay in weight_decay)
    return _arrays.real("weight_decay", weight_decay)


def held_out_fraction(held_out: float | Transitions) -> float | None:
    """Returns the fraction of the rows, or None where transitions are given."""
    if isinstance(held_out, Transitions):
        return None
    try:
        return _arrays.real("held_out", held_out)
    except ArgumentError:
        got = _texts.shown(held_out)
        raise TypeError(f"held_out: got {got}, must be a fraction or Transitions") from None


def angles_for(data: Transitions, given: Sequence[int]) -> Angles:
    """Returns the angles of data; or those that a `fit` is given, in radians that count on.

    Raises:
        ArgumentError: both say which they are, and differ; or one is none of the states.
        TypeError: they are no integers.
    """
    columns = _arrays.counts("angles", given)
    named = Angles.of(dict.fromkeys(columns, 2.0 * np.pi), data.state_dim)
    if len(named) < len(columns):
        raise ArgumentError(f"angles: got {_texts.shown(given)}, must be states, each once")
    if not data.angles:
        return named
    if named and list(named) != list(data.angles):
        wanted = f"those of the data, {list(data.angles)}, or left out"
        raise ArgumentError(f"angles: got {list(named)}, must be {wanted}")
    return data.angles


def arrays_of(data: Transitions, rewards: bool) -> tuple[Float64, Float64, Float64, Float64 | None]:
    """Returns what the core trains on."""
    if rewards and data.rewards is None:
        raise ArgumentError("rewards: True needs transitions with rewards, these have none")
    return data.states, data.actions, data.next_states, data.rewards if rewards else None


def divided(
    data: Transitions, held_out: float | Transitions, seed: int
) -> tuple[Transitions, Transitions | None]:
    """Returns the transitions to train on and those held out, if any."""
    if isinstance(held_out, Transitions):
        dims = (held_out.state_dim, held_out.action_dim)
        if dims != (data.state_dim, data.action_dim):
            raise ShapeError(
                f"held_out: got (state_dim, action_dim) {dims}, must be "
                f"{(data.state_dim, data.action_dim)} as in the training data"
            )
        for its, wanted in ((held_out.angles, data.angles), (held_out.known, data.known)):
            if its != wanted:
                raise ArgumentError(
                    f"held_out: got {its}, must be {wanted} as of the training data"
                )
        return data, held_out
    if not 0.0 <= held_out < 1.0:
        raise ArgumentError(f"held_out: got {held_out}, must be in [0, 1), or transitions")
    count = round(held_out * len(data))
    if count == len(data):
        raise ArgumentError(
            f"held_out: got {held_out} of {len(data)} transitions, must leave at least one of them "
            "to learn from"
        )
    if count == 0:
        return data, None
    order = np.random.default_rng(seed).permutation(len(data))
    return data[np.sort(order[count:])], data[np.sort(order[:count])]


@dataclass(frozen=True)
class Fitted:
    """The result of a fit: the parts of a network model."""

    parameters: _core.NetworkParameters
    settings: TrainingSettings
    history: TrainingHistory
    rows: int
    observed: tuple[Float64, Float64]
    observed_disagreement: float | None = None
    calibration: Float64 | None = None
    band_factors: Mapping[str, Float64] | None = None
    prior: Model | None = None
    angles: Angles | None = None
    known: KnownStates = NO_KNOWN_STATES


def angles_of_networks(fitted: Fitted) -> Angles:
    """Returns the angles of a model, those of its networks where it knows no more of them.

    Raises:
        ArgumentError: they are not those of its networks.
    """
    parameters = fitted.parameters
    periods = parameters.periods or [2.0 * np.pi] * len(parameters.angles)
    own = Angles(dict(zip(parameters.angles, periods, strict=True)))
    if fitted.angles is None:
        return own
    if not fitted.angles.have_periods_of(own):
        raise ArgumentError(f"angles: got {fitted.angles}, must be the networks' {own}")
    return fitted.angles


def untrained(network: NetworkArrays) -> Fitted:
    """Returns the parts of a model whose weights were trained elsewhere, on unknown data."""
    members, inputs = network.members, network.state_dim + network.action_dim
    settings = TrainingSettings(
        loss="squared_error",
        epochs=0,
        batch_size=1,
        learning_rate=0.0,
        weight_decay=0.0,
        held_out=0.0,
        patience=0,
        improvement=0.0,
        warm_up=0,
        bootstrap=False,
        seed=0,
    )
    no_losses = np.empty((0, members))
    history = TrainingHistory(no_losses, no_losses, np.full(members, -1), interrupted=False)
    # Lowest and highest value are the same: the range of the inputs is not known.
    observed = (np.zeros(inputs), np.zeros(inputs))
    return Fitted(network.parameters(), settings, history, 0, observed)


def train(
    data: Transitions,
    angles: Angles,
    architecture: Architecture,
    settings: TrainingSettings,
    *,
    held_out: float | Transitions,
    initial: _core.NetworkParameters | None,
    progress: Progress | None,
    prior: Model | None,
    threads: int,
) -> Fitted:
    """Trains all members; `held_out` and `settings.held_out` agree."""
    if settings.loss == "huber":
        data = _without_wild_rows(data, angles, rewards=architecture.rewards)
        if isinstance(held_out, Transitions):
            held_out = _without_wild_rows(held_out, angles, rewards=architecture.rewards)
    rows, kept_back = divided(data, held_out, settings.seed)
    rows = unlearned(rest_of(prior, rows, threads), data.known)
    if kept_back is not None:
        kept_back = unlearned(rest_of(prior, kept_back, threads), data.known)
    by_layer = np.atleast_1d(settings.weight_decay).tolist()
    core_settings = {**asdict(settings), "weight_decay": by_layer, "threads": threads}
    del core_settings["held_out"]  # which rows that are is known here alone
    core_settings["robust"] = core_settings.pop("loss") == "huber"
    parameters, training, held_out_losses, best_epoch, interrupted = _core.fit_networks(
        arrays_of(rows, architecture.rewards),
        None if kept_back is None else arrays_of(kept_back, architecture.rewards),
        **asdict(architecture),
        settings=_core.NetworkFitSettings(**core_settings),
        initial=initial,
        progress=progress,
        periods=angles.core_periods,
    )
    history = TrainingHistory(training, held_out_losses, np.array(best_epoch), interrupted)
    inputs = np.hstack([data.states, data.actions])
    observed = angles.observed_range(inputs)
    disagreement = _observed_disagreement(parameters, [rows, kept_back], threads)
    parts = parameters, settings, history, len(rows), observed, disagreement
    return Fitted(*parts, prior=prior, angles=angles, known=data.known)


def _without_wild_rows(data: Transitions, angles: Angles, *, rewards: bool) -> Transitions:
    """Returns the rows without those that would set the unit of a column, be they few or many."""
    wild = np.zeros(len(data), np.bool_)
    wild[wild_rows(data.states, data.actions, data.next_states, angles).rows] = True
    with np.errstate(over="ignore"):
        columns = [angles.short_way(data.next_states - data.states), data.actions]
        if rewards and data.rewards is not None:
            columns.append(data.rewards[:, np.newaxis])
        for values in columns:
            away = np.abs(values - np.median(values, axis=0))
            usual = np.median(away, axis=0)  # 0 of what mostly stays: it has no scale
            wild |= ((away > _FAR * usual) & (usual > 0.0)).any(axis=1)
    return data[~wild] if wild.any() else data


def _observed_disagreement(
    parameters: _core.NetworkParameters, parts: Sequence[Transitions | None], threads: int
) -> float | None:
    """Returns the disagreement that nearly all rows of each part keep to; None for one network.

    Of the rows trained on and those held out the larger one: members agree too well on what they
    have learned, and few held-out rows may all be ordinary.
    """
    if parameters.members == 1:
        return None
    dynamics = parameters.dynamics()
    found = [
        np.quantile(_core.disagreement(dynamics, part.states, part.actions, threads), _NEARLY_ALL)
        for part in parts
        if part is not None
    ]
    largest = float(max(found))
    # Members that never disagree give no scale, nor do those that diverge.
    return largest if 0.0 < largest < np.inf else None
