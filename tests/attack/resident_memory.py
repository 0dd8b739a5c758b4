"""Makes thousands of mixed calls and fails if the process grows by more than a few megabytes.

    python tests/attack/resident_memory.py --calls 20000

Valid calls of everything public, from the tables of the attack: models that are fitted, used and
dropped, plans, rollouts, rewards, agents, files, Python functions that the core calls back; and
among them calls that are refused. What caches need is taken in the calls that warm up.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import os
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from attack.hostile_values import GROUPS, is_harmful
from attack.rows import made, rows, share_of

MEGABYTE = 2**20
# Of 16,000 calls after 4,000: a leak of 330 bytes in each of them, or of 60 kB in one kind of call.
MOST_GROWTH = 5 * MEGABYTE
REFUSED = 0.2
# Quick to be refused, and none of them asks for more work or memory.
WRONG = [value for value in GROUPS["scalars"] if "huge" not in value.tags]


def resident() -> int:
    """Bytes of the process that are in memory, once all that is free has gone back."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def call(rng: np.random.Generator, name: str) -> None:
    """Makes a valid call, or now and then one with a wrong argument."""
    function, arguments = rows()[name]
    given: dict[str, Any] = {key: made(value) for key, value in arguments.items()}
    if rng.random() < REFUSED:
        key = list(given)[int(rng.integers(len(given)))]
        wrong = WRONG[int(rng.integers(len(WRONG)))].value(given[key])
        if not is_harmful(name, key, wrong):
            given[key] = wrong
    try:
        function(**given)
    except Exception:  # what may be raised is the attack's business
        return


def growth_of(calls: int, seed: int) -> int:
    """Makes the calls; returns by how many bytes the process grew after the first fifth of them."""
    rng = np.random.default_rng(seed)
    # Those that take long would be most of the time.
    names = [name for name in rows() if share_of(name) >= 0.5]
    warm, sizes = calls // 5, []
    for number in range(calls + 1):
        if number % warm == 0:
            sizes.append(resident())
            print(f"{number:6d} calls  {sizes[-1] / MEGABYTE:7.2f} MB", flush=True)
        call(rng, names[int(rng.integers(len(names)))])
    return sizes[-1] - sizes[1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if sys.platform != "linux":
        print("only Linux says how much memory is resident")
        return 0

    with tempfile.TemporaryDirectory(prefix="resident-") as folder, warnings.catch_warnings():
        os.chdir(folder)
        warnings.simplefilter("ignore")
        growth = growth_of(arguments.calls, arguments.seed)
        os.chdir("..")
    print(f"grown by {growth / MEGABYTE:.2f} MB, must be at most {MOST_GROWTH / MEGABYTE:.0f}")
    return int(growth > MOST_GROWTH)


if __name__ == "__main__":
    sys.exit(main())
