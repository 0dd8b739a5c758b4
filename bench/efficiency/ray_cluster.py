"""Cells spread over a Ray cluster, one a processor core."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from bench.efficiency.evaluation import described, outcome_of
from bench.efficiency.local import ONE_THREAD
from bench.efficiency.method import Cell
from bench.machine import ROOT


def spread(cells: Iterable[Cell]) -> Iterator[tuple[Cell, dict[str, Any]]]:
    """Runs cells on the cluster that Ray finds, else on one of this machine's cores.

    Ray looks for RAY_ADDRESS and for a cluster that `ray start` began here. Its nodes need
    dynaplan and the packages of tasks and methods installed; `bench` is sent to them.
    """
    import ray

    ray.init(
        runtime_env={"py_modules": [str(ROOT / "bench")], "env_vars": ONE_THREAD},
        log_to_driver=False,
    )
    # A cell that was half done would be run anew behind the back of its record.
    run = ray.remote(num_cpus=1, max_retries=0, max_calls=1)(outcome_of)
    try:
        running = {run.remote(cell): cell for cell in cells}
        while running:
            for ready in ray.wait(list(running))[0]:
                cell = running.pop(ready)
                yield cell, _received(ray, ready, cell)
    finally:
        ray.shutdown()


def _received(ray: Any, ready: Any, cell: Cell) -> dict[str, Any]:
    try:
        outcome: dict[str, Any] = ray.get(ready)
    except ray.exceptions.RayError as error:
        return described(cell, "failed", f"{type(error).__name__}: {error}")
    return outcome
