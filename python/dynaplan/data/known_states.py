"""`KnownStates`: which states are exact shifts, so that nothing of them is to be learned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _texts
from dynaplan.data.angles import Angles
from dynaplan.errors import ArgumentError

__all__ = ["NO_KNOWN_STATES", "KnownLike", "KnownStates", "StateSource", "lags_of"]

Float64 = NDArray[np.float64]
# What a state takes the value of: a state, or an action.
StateSource: TypeAlias = int | tuple[Literal["action"], int]
KnownLike: TypeAlias = "KnownStates | Mapping[int, int | tuple[str, int]]"

_ROUNDING = 1e-6  # of the largest value: what rounding to float32 leaves


class KnownStates(Mapping[int, StateSource]):
    """The states whose next value is known: the one that another state or an action has now.

    A mapping from the state's index to that of the other state, or to ("action", its index);
    immutable.

    Args:
        sources: as given.
        history: (p, q) where they are the lags of `Transitions.with_history`; else None.

    Attributes:
        columns: (K,) the states, ascending.
        history: as given.
    """

    __slots__ = ("_of_actions", "_of_states", "_sources", "columns", "history")

    def __init__(
        self, sources: Mapping[int, StateSource], history: tuple[int, int] | None = None
    ) -> None:
        self._sources = dict(sorted(sources.items()))
        self.columns = np.array(list(self._sources), np.intp)
        self.history = history
        pairs = self._sources.items()
        of_states = [(state, source) for state, source in pairs if isinstance(source, int)]
        of_actions = [(state, source[1]) for state, source in pairs if isinstance(source, tuple)]
        self._of_states, self._of_actions = (
            np.array(found, np.intp).reshape(-1, 2).T for found in (of_states, of_actions)
        )

    @staticmethod
    def of(
        given: KnownLike | None, state_dim: int, action_dim: int, name: str = "known"
    ) -> KnownStates:
        """Returns the known states that an argument names.

        Args:
            given: a mapping from states to states, or to ("action", index). What is counted from
                the end is the same. None: there are none.
            state_dim: S.
            action_dim: A.
            name: of the argument.

        Raises:
            ArgumentError: a state or an action is none, or none of the states is to be learned; or
                they are not those of the history.
            TypeError: it is no such mapping.
        """
        if given is None:
            return NO_KNOWN_STATES
        if not isinstance(given, Mapping):
            wanted = 'a mapping from states to states, or to ("action", index)'
            raise TypeError(f"{name}: got {_texts.shown(given)}, must be {wanted}")
        sources: dict[int, StateSource] = {}
        for key, value in given.items():
            state = _place(name, key, state_dim, "states")
            if state in sources:
                raise ArgumentError(f"{name}: got state {state} twice, must be there once")
            if isinstance(value, tuple | list):
                sources[state] = ("action", _action(name, value, action_dim))
            else:
                sources[state] = _place(name, value, state_dim, "states")
        if len(sources) == state_dim:
            raise ArgumentError(f"{name}: got all {state_dim} states, must leave one to be learned")
        history = given.history if isinstance(given, KnownStates) else None
        _check_history(name, sources, history, state_dim, action_dim)
        return KnownStates(sources, history) if sources else NO_KNOWN_STATES

    def __getitem__(self, key: int) -> StateSource:
        return self._sources[key]

    def __iter__(self) -> Iterator[int]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, Mapping) and self.are_those_of(other)
        return same and self.history == getattr(other, "history", None)

    def __hash__(self) -> int:
        return hash((tuple(self._sources.items()), self.history))

    def __reduce__(self) -> tuple[Any, ...]:
        return KnownStates, (self._sources, self.history)

    def __repr__(self) -> str:
        text = _texts.brief(self._sources)
        return f"KnownStates({text}{'' if self.history is None else f', history={self.history}'})"

    def observation_dim(self, state_dim: int, action_dim: int) -> int:
        """Returns how many of the states (S) are observed: all of those without a history."""
        if self.history is None:
            return state_dim
        states, actions = self.history
        return (state_dim - actions * action_dim) // (1 + states)

    def are_those_of(self, other: Mapping[int, StateSource]) -> bool:
        """Returns whether the same states take the same values, with a history or without."""
        return self._sources == dict(other)

    def earlier_actions(self, action_dim: int) -> tuple[int, ...]:
        """Returns (A,) how many of the earlier values of each action the states hold, the last on.

        A state that takes the value of an action holds its last one, one that takes that state's
        value the one before, and so on.
        """
        counts = []
        for action in range(action_dim):
            count, holding = 0, {s for s, source in self.items() if source == ("action", action)}
            while holding:
                count += 1
                holding = {state for state, source in self.items() if source in holding}
            counts.append(count)
        return tuple(counts)

    def learned(self, state_dim: int) -> NDArray[np.bool_]:
        """Returns (S,) marks of the states that are not known."""
        marks = np.ones(state_dim, np.bool_)
        marks[self.columns] = False
        return marks

    def put_into(self, next_states: Float64, states: Float64, actions: Float64) -> Float64:
        """Sets what is known of next states (..., S), in place, and returns them."""
        for (columns, sources), values in ((self._of_states, states), (self._of_actions, actions)):
            next_states[..., columns] = values[..., sources]
        return next_states

    def at_rest(self, next_states: Float64, states: Float64) -> Float64:
        """Returns next states (..., S) in which the known ones stay as in states."""
        if not self:
            return next_states
        result = next_states.copy()
        result[..., self.columns] = states[..., self.columns]
        return result

    def without(self, values: Float64) -> Float64:
        """Returns values (..., S) that are 0 for the known states."""
        if not self:
            return values
        result = values.copy()
        result[..., self.columns] = 0.0
        return result

    def require_met(
        self, arrays: Mapping[str, NDArray[Any]], angles: Angles, name: str = "known"
    ) -> None:
        """Refuses transitions in which a known state is another one, but for rounding.

        Args:
            arrays: states, actions and next_states.
            angles: of the states.
            name: of the argument to blame.

        Raises:
            ArgumentError: there is one; the message names the first row.
        """
        if not self:
            return
        states, after = arrays["states"], arrays["next_states"]
        wanted = self.put_into(after.copy(), states, arrays["actions"])
        size = np.abs(wanted).max(axis=0)
        with np.errstate(over="ignore", invalid="ignore"):  # of both ends of float64
            wrong = np.abs(angles.short_way(after - wanted)) > _ROUNDING * size
        if not wrong.any():
            return
        row, state = (int(place) for place in np.argwhere(wrong)[0])
        source = self[state]
        named = f"state {source}" if isinstance(source, int) else f"action {source[1]}"
        raise ArgumentError(
            f"{name}: in row {row} the next state {state} is {after[row, state]:.6g}, must be "
            f"{wanted[row, state]:.6g} as {named} is"
        )

    def core_parts(self) -> list[tuple[int, int, bool]]:
        """Returns them as the core takes them: state, source, whether that is an action."""
        return [
            (state, *((source, False) if isinstance(source, int) else (source[1], True)))
            for state, source in self._sources.items()
        ]

    def to_lists(self) -> list[list[int]]:
        """Returns them as a file keeps them: the history, then states and sources.

        A source is a state, or -1 - j of action j; without a history its numbers are 0.
        """
        rows = [[state, -1 - j if acts else j] for state, j, acts in self.core_parts()]
        return [list(self.history or (0, 0)), *rows]

    @staticmethod
    def of_lists(lists: Sequence[Sequence[int]], state_dim: int, action_dim: int) -> KnownStates:
        """Returns those that `to_lists` gave, checked.

        Raises:
            ArgumentError, TypeError: they are none.
        """
        for row in lists:
            is_row = isinstance(row, Sequence) and len(row) == 2
            if not is_row or any(type(value) is not int for value in row):
                raise ArgumentError("known: must be lists of a state and its source")
        if len(lists) < 2 or min(lists[0]) < 0:
            raise ArgumentError("known: must be a history, then a state and its source")
        sources: dict[int, StateSource] = {
            state: source if source >= 0 else ("action", -1 - source) for state, source in lists[1:]
        }
        states = [state for state, _ in lists[1:]]
        if states != sorted(sources) or states[0] < 0:
            raise ArgumentError("known: must be states, ascending")
        if states[-1] >= state_dim or not all(-action_dim <= j < state_dim for _, j in lists[1:]):
            raise ArgumentError(
                f"known: must be of {state_dim} states and {action_dim} actions, got others"
            )
        states_back, actions_back = lists[0]
        history = (states_back, actions_back) if states_back or actions_back else None
        return KnownStates.of(KnownStates(sources, history), state_dim, action_dim)

    def to_array(self) -> NDArray[np.int64]:
        """Returns (1 + K, 2) the lists as an array."""
        return np.array(self.to_lists(), np.int64)

    @staticmethod
    def of_array(rows: ArrayLike, state_dim: int, action_dim: int) -> KnownStates:
        """Returns those that `to_array` gave, checked.

        Raises:
            ArgumentError, TypeError: they are none.
        """
        values = np.asarray(rows)
        if values.ndim != 2 or values.shape[1] != 2 or values.dtype != np.int64:
            raise ArgumentError(f"known: got {values.dtype} of shape {values.shape}")
        return KnownStates.of_lists(values.tolist(), state_dim, action_dim)


NO_KNOWN_STATES = KnownStates({})


def lags_of(observed: int, action_dim: int, history: tuple[int, int]) -> dict[int, StateSource]:
    """Returns where the lags are from, in [x_t, x_t-1, ..., x_t-p, u_t-1, ..., u_t-q].

    Args:
        observed: how many states are observed.
        action_dim: A.
        history: (p, q).
    """
    first, size = observed * (1 + history[0]), observed * (1 + history[0]) + action_dim * history[1]
    lags: dict[int, StateSource] = {state: state - observed for state in range(observed, first)}
    for place in range(first, size):
        lag = place - first
        lags[place] = ("action", lag) if lag < action_dim else place - action_dim
    return lags


def _check_history(
    name: str,
    sources: Mapping[int, StateSource],
    history: tuple[int, int] | None,
    state_dim: int,
    action_dim: int,
) -> None:
    if history is None:
        return
    observed, rest = divmod(state_dim - history[1] * action_dim, 1 + history[0])
    lags = {} if rest or observed < 1 else lags_of(observed, action_dim, history)
    if not lags or any(sources.get(state) != source for state, source in lags.items()):
        raise ArgumentError(
            f"{name}: of a history {history}, must be its lags in {state_dim} states and "
            f"{action_dim} actions"
        )


def _place(name: str, given: Any, count: int, kind: str) -> int:
    place = _arrays.count(name, given)
    if not -count <= place < count:
        got = _texts.shown(given)
        raise ArgumentError(f"{name}: got {got}, must be one of {kind} 0 to {count - 1}")
    return place % count


def _action(name: str, given: Sequence[Any], action_dim: int) -> int:
    if len(given) != 2 or not isinstance(given[0], str) or given[0] != "action":
        raise ArgumentError(f'{name}: got {_texts.shown(given)}, must be ("action", index)')
    return _place(name, given[1], action_dim, "actions")
