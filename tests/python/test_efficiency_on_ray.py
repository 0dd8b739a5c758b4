"""The efficiency suite on a Ray cluster of two nodes with a core each, all on this machine."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from bench.efficiency import command, store

from reference import toy_learning as toy

pytest.importorskip("ray")

SCRIPT = """
import os
import sys

import ray.cluster_utils
from bench.efficiency import command
from reference import toy_learning as toy

if __name__ == "__main__":
    cluster = ray.cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    ray.init(cluster.address)
    assert ray.cluster_resources()["CPU"] == 2.0
    ray.shutdown()
    os.environ["RAY_ADDRESS"] = cluster.address
    status = command.main(["--ray", *sys.argv[1:]], toy.TASKS, toy.METHODS)
    cluster.shutdown()
    raise SystemExit(status)
"""


def without_time(folder):
    found = store.read_all(folder)
    for one in found:
        one["message"] = one["message"].splitlines()[-1:]
        del one["run"], one["where"]
        for row in one["evaluations"]:
            del row["seconds"]
    return found


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_cluster_gives_the_results_of_one_machine(tmp_path, repository):
    script, there, here = tmp_path / "on_ray.py", tmp_path / "there", tmp_path / "here"
    script.write_text(SCRIPT)
    asked = ["--method", "steep", "--method", "raising", "--seeds", "0-3"]
    paths = [repository, repository / "tests", *filter(None, sys.path)]
    changed = {"PYTHONPATH": os.pathsep.join(map(str, paths)), "RAY_USAGE_STATS_ENABLED": "0"}
    done = subprocess.run(
        [sys.executable, script, "--results", there, *asked, "--method", "dying"],
        env=os.environ | changed,
        capture_output=True,
        text=True,
        timeout=240.0,
        check=False,
    )
    assert done.returncode == 1, done.stderr  # some cells fail
    assert "WorkerCrashedError" in store.read(there / "toy_Lever" / "dying" / "3.json")["message"]
    assert command.main(["--results", str(here), *asked], toy.TASKS, toy.METHODS) == 1
    found = without_time(there)
    assert [one for one in found if one["method"] != "dying"] == without_time(here)
    assert [one["status"] for one in found if one["method"] == "dying"] == ["failed"] * 4
