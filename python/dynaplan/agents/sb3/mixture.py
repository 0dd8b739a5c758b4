"""Batches of real and imagined transitions, as algorithms of Stable-Baselines3 draw them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.type_aliases import ReplayBufferSamples

from dynaplan import _arrays

__all__ = ["ImaginedReplay", "Mixture"]


class ImaginedReplay:
    """The newest imagined transitions.

    Args:
        size: how many are kept, at least 1.
    """

    def __init__(self, size: int) -> None:
        self._size = _arrays.at_least(1, "imagined_buffer_size", size)
        self._columns: tuple[NDArray[Any], ...] = ()

    def __len__(self) -> int:
        return len(self._columns[0]) if self._columns else 0

    def take(self, columns: tuple[NDArray[Any], ...], replace: bool) -> None:
        """Takes rows in: states, actions, next states, ends, rewards.

        Args:
            columns: with as many rows each.
            replace: forget those before.
        """
        if self._columns and not replace:
            pairs = zip(self._columns, columns, strict=True)
            columns = tuple(np.concatenate(pair) for pair in pairs)
        self._columns = columns
        self.resize(self._size)

    def resize(self, size: int) -> None:
        """Keeps the newest `size` rows, now and from now on."""
        self._size = _arrays.at_least(1, "size", size)
        if len(self) > size:
            self._columns = tuple(column[-size:].copy() for column in self._columns)

    def drawn(self, count: int) -> tuple[NDArray[Any], ...]:
        """Draws rows with replacement, from NumPy's global generator as Stable-Baselines3 does."""
        rows = np.random.randint(len(self), size=count)  # noqa: NPY002  # the algorithm seeds it
        states, actions, after, ended, rewards = (column[rows] for column in self._columns)
        return states, actions, after, ended[:, None], rewards[:, None]


class Mixture:
    """What takes the place of a replay buffer during updates.

    Args:
        real: the algorithm's own.
        imagined: what is mixed in.
        real_ratio: share of a batch that is real where there are both.
    """

    def __init__(self, real: ReplayBuffer, imagined: ImaginedReplay, real_ratio: float) -> None:
        self._real = real
        self._imagined = imagined
        self._real_ratio = real_ratio

    def sample(self, batch_size: int, env: Any = None) -> ReplayBufferSamples:
        """Draws a batch; all of it is real where nothing is imagined, and the other way round.

        Args:
            batch_size: rows of it.
            env: None, as nothing is normalised.
        """
        count = round(self._real_ratio * batch_size)
        if len(self._imagined) == 0:
            count = batch_size
        elif self._real.size() == 0:
            count = 0
        if count == batch_size:
            return self._real.sample(count, env=env)
        drawn = self._imagined.drawn(batch_size - count)
        columns = [self._real.to_torch(column) for column in drawn]
        if count > 0:
            # In any order, as some algorithms cut a batch into those of several updates.
            order = torch.randperm(batch_size, device=columns[0].device)
            pairs = zip(self._real.sample(count, env=env)[:5], columns, strict=True)
            columns = [torch.cat(pair)[order] for pair in pairs]
        return ReplayBufferSamples(*columns)
