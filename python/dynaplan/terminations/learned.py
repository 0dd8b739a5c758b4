"""`LearnedTermination`: when an episode ends, learned from the ends in a log."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _core, _texts, files
from dynaplan.data.transitions import Transitions, require_transitions
from dynaplan.errors import ArgumentError, ModelFileError
from dynaplan.models.networks.arrays import NetworkArrays
from dynaplan.models.networks.files import (
    checked_header,
    network_from_parts,
    network_parts,
    wanted_arrays,
)
from dynaplan.models.networks.training import angles_for
from dynaplan.terminations.end_networks import (
    FOLDS,
    copies_of,
    folds_of,
    log_odds_of,
    member_of,
    trained,
)
from dynaplan.terminations.terms import Term

__all__ = ["LearnedTermination"]

Float64 = NDArray[np.float64]
Arrays = Mapping[str, NDArray[Any]]

_EPOCHS = 200
_COUNTS = dict.fromkeys(("rows", "ends", "flagged", "found"), int)
_HEADER = {"network": dict, "threshold": float, "counts": dict}


@dataclass(frozen=True, kw_only=True)
class _Counts:
    """Steps that were held out in turns: all, ends, steps taken for ends, and ends among those."""

    rows: int
    ends: int
    flagged: int
    found: int

    def are_possible(self) -> bool:
        """Returns whether there can be such steps."""
        missed, false = self.ends - self.found, self.flagged - self.found
        return min(self.found, missed, false, self.rows - self.ends - false) >= 0


@dataclass(frozen=True, kw_only=True, eq=False)
class _Fitted:
    """The parts of a learned termination, and the recipe of what the core runs."""

    networks: NetworkArrays
    threshold: float
    counts: _Counts

    def make(self) -> _core.Termination:
        """Returns the compiled termination."""
        return _core.learned_termination(self.networks.parameters(), self.threshold)


class LearnedTermination(Term):
    """A termination learned from the ends in a log: the probability that a next state is one.

    Use `LearnedTermination.fit`. It is a term as all others are: planners, rollouts, imagination
    and loops take it as their `termination`. It looks at the next state alone, and a state that is
    nan has ended.

    Attributes:
        state_dim: S.
        angles: the states of which it sees sin and cos, so that values a turn apart are the same.
        threshold: the probability above which a step ends the episode.
        rows: steps that it was learned from, each of which was held out once.
        ends: how many of them ended an episode.
        flagged: how many were taken for ends when they were held out.
        found: how many of the ends were among those.
    """

    __slots__ = (
        "_parameters",
        "angles",
        "ends",
        "flagged",
        "found",
        "rows",
        "state_dim",
        "threshold",
    )

    _recipe: _Fitted

    def __init__(self, fitted: _Fitted) -> None:
        if not isinstance(fitted, _Fitted):
            got = _texts.shown(fitted)
            raise TypeError(f"fitted: got {got}; use LearnedTermination.fit(data)")
        super().__init__(fitted, "LearnedTermination")
        self._parameters = fitted.networks.parameters()
        self.state_dim: int = fitted.networks.state_dim
        self.angles: tuple[int, ...] = tuple(fitted.networks.angles)
        self.threshold: float = fitted.threshold
        counts = fitted.counts
        self.rows: int = counts.rows
        self.ends: int = counts.ends
        self.flagged: int = counts.flagged
        self.found: int = counts.found

    @classmethod
    def fit(
        cls,
        data: Transitions,
        *,
        hidden: Sequence[int] = (8, 8),
        angles: Sequence[int] = (),
        threshold: float = 0.5,
        epochs: int = _EPOCHS,
        seed: int | None = None,
        threads: int = 1,
    ) -> LearnedTermination:
        """Trains five networks on the logistic loss to tell next states that are ends from others.

        Each learns without a fifth of the episodes. What it says of those that it has not seen is
        counted: `precision` and `recall` are of a network alone. The mean of the log-odds of all
        five decides, which is right more often than one.

        Inputs are standardised, so that units and offsets do not matter. Ends are rare: of each a
        network is shown as many copies as the square root of the number of other rows for each end,
        and its log-odds are lowered by the logarithm of that number afterwards, so that they are
        those of the data.

        It knows no more than the log shows. A limit that was never passed in the data is not
        learned, and far from all data the answer is sure of itself and arbitrary: keep plans where
        there are data, as by `DisagreementLimit`. Where ends follow a rule that you know, write the
        rule down, as with `outside`.

        Args:
            data: transitions with `terminations`: at least 5 rows that ended an episode, and 5 that
                did not. Time limits are no ends.
            hidden: units of each hidden layer; () is a plane through the states. Default (8, 8):
                enough for the faces of a box, with fewer errors from some thousand rows than wider
                ones, and in half the time of a model of (64, 64).
            angles: the states that are angles in radians, where `data` do not say it. Default:
                those of `data`.
            threshold: the probability above which a step ends the episode, above 0 and below 1.
                Default 0.5, at which the fewest steps are taken for the wrong kind; a lower one
                misses fewer ends.
            epochs: passes over the data. Default 200: enough for a few hundred rows, in which there
                are few mini-batches; fewer do with many rows.
            seed: of the weights, the folds and the order of the rows: same seed, same bits,
                whatever `threads`. None draws anew.
            threads: threads to use, at most one for each of the five networks.

        Returns:
            The learned termination.

        Raises:
            ArgumentError: there are too few ends in the data, or too few rows that continue; or an
                argument is out of range.
            NumericalError: the loss stopped being finite; the message names the cause.
            TypeError: `data` are no `Transitions`.

        Source: King & Zeng 2001 (log-odds from data in which rare events are more frequent);
        Stone 1974 (cross-validation); Krogh & Vedelsby 1995 (the mean of networks that were trained
        on different parts of the data).

        Example:
            >>> x = np.random.default_rng(0).uniform(-1.2, 1.2, size=(400, 1))
            >>> ended = np.abs(x[:, 0]) > 1.0
            >>> data = dp.Transitions(0.9 * x, 0.1 * x, x, terminations=ended)
            >>> learned = dp.terminations.LearnedTermination.fit(data, seed=0)
            >>> learned([[0.9], [0.9]], [[0.0], [0.3]], [[0.9], [1.15]])
            array([False,  True])
        """
        require_transitions("data", data)
        limit = _arrays.real("threshold", threshold)
        if not 0.0 < limit < 1.0:
            raise ArgumentError(f"threshold: got {limit}, must be above 0 and below 1")
        number = _arrays.seed_number(seed)
        folds = folds_of(data, number)
        copies = copies_of(data.terminations)
        networks = trained(
            data,
            angles_for(data, angles),
            np.repeat(np.arange(len(data)), np.where(data.terminations, copies, 1)),
            folds,
            hidden=_arrays.counts("hidden", hidden),
            epochs=_arrays.count("epochs", epochs, 1),
            seed=number,
            threads=_arrays.count("threads", threads, 1),
        )
        biases = networks.biases[-1].copy()
        biases[:, -1] -= np.float32(math.log(copies))
        networks = replace(networks, biases=[*networks.biases[:-1], biases])
        flagged = np.empty(len(data), np.bool_)
        for fold in range(FOLDS):
            out = folds == fold
            log_odds = log_odds_of(member_of(networks, fold).parameters(), data.next_states[out])
            flagged[out] = log_odds > math.log(limit) - math.log1p(-limit)
        counts = _Counts(
            rows=len(data),
            ends=int(data.terminations.sum()),
            flagged=int(flagged.sum()),
            found=int((flagged & data.terminations).sum()),
        )
        return cls(_Fitted(networks=networks, threshold=limit, counts=counts))

    @property
    def precision(self) -> float | None:
        """Of the held-out steps taken for ends, the share that were; None where none was taken."""
        return self.found / self.flagged if self.flagged else None

    @property
    def recall(self) -> float:
        """Of the ends, the share that was recognised when it was held out."""
        return self.found / self.ends

    def probability(self, next_states: ArrayLike) -> Float64:
        """Returns how probable it is that a step to these states ends the episode.

        Args:
            next_states: (N, S), or one state (S,).

        Returns:
            (N,) as frequent as ends are in the data, where there are data.

        Raises:
            ShapeError: the array has the wrong shape.
            ArgumentError: a state is not finite.
        """
        rows = _arrays.finite_rows("next_states", next_states, self.state_dim)
        # As tanh, which overflows nowhere.
        chance: Float64 = 0.5 + 0.5 * np.tanh(0.5 * log_odds_of(self._parameters, rows))
        return chance

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the termination to `path`, a safetensors file that `dynaplan.load` reads.

        Loaded again it gives the same answers, to the bit. The file appears complete or not at all.

        Args:
            path: name of the file, used unchanged; an existing file is replaced.

        Raises:
            OSError: the folder does not exist or cannot be written to.
        """
        arrays, network = network_parts(self._recipe.networks)
        header = {
            "network": network,
            "threshold": self.threshold,
            "counts": asdict(self._recipe.counts),
        }
        files.write_model_file(path, type(self).__name__, arrays, header)

    @classmethod
    def _from_file(cls, name: str, arrays: Arrays, header: dict[str, Any]) -> LearnedTermination:
        """Makes what is in a file of this kind, all checked.

        Args:
            name: of the file, for messages.
            arrays: those of the file.
            header: likewise.

        Raises:
            ModelFileError: they do not make a learned termination.
        """
        try:
            top = files.fields(header, "header", _HEADER)
            network = checked_header(top["network"])
            counts = _Counts(**files.fields(top["counts"], "counts", _COUNTS))
            if not counts.are_possible() or not counts.ends:
                raise ModelFileError(f"counts: got {asdict(counts)}, must be those of some rows")
            files.named_arrays(arrays, wanted_arrays(network))
            parts = network_from_parts(arrays, network)
            return cls(_Fitted(networks=parts, threshold=top["threshold"], counts=counts))
        except (ArithmeticError, TypeError, ValueError) as error:
            raise ModelFileError(f"{name}: not usable as {cls.__name__}: {error}") from error

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._recipe,)

    def __repr__(self) -> str:
        precision = "not known" if self.precision is None else f"{self.precision:.3f}"
        return (
            f"LearnedTermination(state_dim={self.state_dim}, threshold={self.threshold:g}, "
            f"rows={self.rows}, ends={self.ends}, held-out precision={precision}, "
            f"recall={self.recall:.3f})"
        )
