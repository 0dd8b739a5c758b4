"""What a loop asks of an agent."""

from __future__ import annotations

from typing import Any, Protocol

from numpy.typing import NDArray

__all__ = ["Agent"]


class Agent(Protocol):
    """Acts, and learns from transitions: what `Dyna` needs at least, such as a `SAC`."""

    def act(self, states: NDArray[Any]) -> Any:
        """Chooses actions.

        Args:
            states: one (S,), or (N, S).

        Returns:
            (A,), or (N, A).
        """

    def observe(
        self, state: Any, action: Any, reward: Any, next_state: Any, terminated: Any, /
    ) -> Any:
        """Takes in a transition, or N of them with one more dimension in front.

        Args:
            state: (S,).
            action: (A,), as it was applied.
            reward: a number; larger is better.
            next_state: (S,).
            terminated: whether the system ended there; a time limit is no such end.
        """

    def update(self, count: int) -> Any:
        """Learns from what it has taken in.

        Args:
            count: number of updates.
        """
