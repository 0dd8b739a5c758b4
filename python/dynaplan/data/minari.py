"""Folders of Minari, as they lie on the disk: an HDF5 file with a group for each episode."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from dynaplan.data.angles import AnglesLike
from dynaplan.data.readers.source import require_package
from dynaplan.errors import ArgumentError, ModelFileError

__all__ = ["read_minari"]

if TYPE_CHECKING:

    class _Data(Protocol):
        @classmethod
        def from_trajectories(cls, *arrays: Any, **settings: Any) -> Any: ...


_T = TypeVar("_T", bound="_Data")

_FILE = Path("data", "main_data.hdf5")
_DATA_SETS = ("observations", "actions", "rewards", "terminations")


def read_minari(
    cls: type[_T],
    folder: Path,
    columns: Mapping[str, Any],
    discrete_actions: Any,
    *,
    drop: bool,
    units: Mapping[str, str] | None,
    angles: AnglesLike,
) -> _T:
    """Reads the episodes of a folder, in their order.

    Args:
        cls: `Transitions`.
        folder: with `data/main_data.hdf5` in it.
        columns: what names columns, all None.
        discrete_actions: as in `Transitions`.
        drop: whether rows that lack a value are left out.
        units: None, as the columns have no names.
        angles: as in `Transitions`.

    Raises:
        ArgumentError: the folder is none of Minari, or columns are named.
        ModelFileError: the file is damaged, or its observations are no rows of numbers.
        ImportError: h5py is not installed.
    """
    path = folder / _FILE
    if not path.is_file():
        raise ArgumentError(
            f"source: {folder} is a folder without {_FILE}, must be a file or a folder of Minari "
            "in its HDF5 format"
        )
    for name, value in columns.items():
        if value is not None:
            raise ArgumentError(f"{name}: a folder of Minari has no columns to name, must be None")
    require_package("h5py", path)
    from dynaplan.data.readers.hdf5_file import data_set, opened_hdf5  # noqa: PLC0415  # an extra

    with opened_hdf5(path) as file:
        episodes = sorted(
            (name for name in file if name.startswith("episode_") and name[8:].isdecimal()),
            key=lambda name: int(name[8:]),
        )
        if not episodes:
            raise ModelFileError(f"{path}: has no episode")
        arrays = {
            name: [data_set(file, f"{episode}/{name}")[()] for episode in episodes]
            for name in _DATA_SETS
        }
    return _made(cls, path, arrays, discrete_actions, drop=drop, units=units, angles=angles)


def _made(
    cls: type[_T],
    path: Path,
    arrays: Mapping[str, Any],
    discrete_actions: Any,
    *,
    drop: bool,
    units: Mapping[str, str] | None,
    angles: AnglesLike,
) -> _T:
    try:
        made: _T = cls.from_trajectories(
            arrays["observations"],
            arrays["actions"],
            rewards=arrays["rewards"],
            terminations=[bool(marks[-1:].any()) for marks in arrays["terminations"]],
            discrete_actions=discrete_actions,
            drop_nonfinite=drop,
            units=units,
            angles=angles,
        )
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"source: {path}: {error}") from error
    return made
