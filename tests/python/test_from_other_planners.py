"""The page for users of other planners: both sides run, and ours has the same return.

The code is the page's own, taken from between its headings.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs/from-other-planners.md"
EPISODES = range(4)
# By how much two searches of one kind differ from episode to episode, of returns about -150.
SEARCH_NOISE = 1.5


def blocks() -> dict[str, list[tuple[bool, str]]]:
    """The code under each heading, in order; true where the page's own test runs it (ours)."""
    found: dict[str, list[tuple[bool, str]]] = {}
    for section in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.M):
        name = section.partition("\n")[0]
        fences = re.findall(r"^```python( no-run)?\n(.*?)^```$", section, re.DOTALL | re.M)
        found[name] = [(not mark, code) for mark, code in fences]
    return found


def mean_return(setting_up: list[str], code: str) -> float:
    """The mean return of the `act` that the code makes."""
    returns = []
    for seed in EPISODES:
        names: dict[str, Any] = {}
        for one in (*setting_up, code):
            exec(one, names)  # anew for each episode, as no controller remembers the one before
        returns.append(names["episode_return"](names["act"], seed))
    return float(np.mean(returns))


@pytest.mark.parametrize("package", ["pytorch-mppi", "pytorch-icem"])
def test_ours_has_the_same_return(package: str) -> None:
    pytest.importorskip(package.replace("-", "_"))
    torch = pytest.importorskip("torch")
    page = blocks()
    first = next(iter(page.values()))
    ours = [code for is_ours, code in first if is_ours]
    theirs = [code for is_ours, code in first if not is_ours]
    (marks, codes) = zip(*page[package], strict=True)
    assert marks == (False, True)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the packages
        of_theirs = mean_return([ours[0], *theirs], codes[0])
    assert mean_return(ours, codes[1]) >= of_theirs - SEARCH_NOISE


def test_ours_is_five_lines() -> None:
    page = blocks()
    first = next(iter(page.values()))
    in_their_place = [code for is_ours, code in first if is_ours][1]
    for package in ("pytorch-mppi", "pytorch-icem"):
        lines = (in_their_place + page[package][1][1]).splitlines()
        assert len([line for line in lines if line and line != "act = mpc.act"]) <= 5
