"""An evaluation as columns of a long table, for data frames and files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["evaluation_columns", "frame_of"]

Evaluation: TypeAlias = Any  # which has the methods that call what is here, and so is not imported
Columns: TypeAlias = dict[str, NDArray[np.float64] | NDArray[np.int64]]


def evaluation_columns(check: Evaluation) -> Columns:
    """Returns arrays of one entry for each step of each state, the steps of a state together."""
    steps, states = check.rmse.shape
    unknown = np.full_like(check.rmse, np.nan)
    low, high = (unknown, unknown) if check.rmse_interval is None else check.rmse_interval
    of_both = {
        "rmse": check.rmse,
        "rmse_low": low,
        "rmse_high": high,
        "baseline_rmse": check.baseline_rmse,
        "state_ratio": check.state_ratio,
    }
    of_states = {name: getattr(check, name) for name in ("noise_floor", "spread", "growth")}
    return {
        "step": np.tile(check.steps, states),
        "state": np.repeat(np.arange(states), steps),
        "starts": np.tile(check.starts, states),
        **{name: values.T.ravel() for name, values in of_both.items()},
        **{name: np.repeat(values, steps) for name, values in of_states.items()},
    }


def frame_of(columns: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    """Returns a data frame of columns.

    Raises:
        ImportError: pandas is not installed.
    """
    try:
        import pandas as pd  # noqa: PLC0415  # optional, and slow to import
    except ImportError as error:
        raise ImportError(
            'to_frame needs pandas: pip install "dynaplan[pandas]"; to_dict() gives the same '
            "columns without it"
        ) from error
    return pd.DataFrame(dict(columns))
