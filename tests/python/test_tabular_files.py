"""Agents in files: they go on to the bit, and no file of another's making gets through."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dynaplan as dp
from dynaplan import files
from dynaplan.envs.mazes import Maze
from model_files import joined, signed, split

AGENTS: dict[str, Callable[..., Any]] = {
    "DynaQ": dp.DynaQ,
    "DynaQPlus": lambda env, **settings: dp.DynaQPlus(env, bonus=0.01, **settings),
    "PrioritizedSweeping": lambda env, **settings: dp.PrioritizedSweeping(
        env, threshold=1e-5, **{**settings, "planning_steps": 2, "learning_rate": 0.6}
    ),
}


@pytest.fixture(params=AGENTS)
def agent(request: pytest.FixtureRequest) -> Any:
    made = AGENTS[request.param](
        Maze(), learning_rate=0.3, discount=0.9, exploration=0.2, planning_steps=4, seed=2**64 - 1
    )
    made.learn(1500)
    assert made.q.max() > 0.0
    return made


@pytest.fixture
def saved(agent: Any, tmp_path: Path) -> Path:
    path = tmp_path / "agent.safetensors"
    agent.save(path)
    return path


def test_a_loaded_agent_goes_on_to_the_bit(agent: Any, saved: Path) -> None:
    again = dp.load(saved, Maze())
    assert repr(again) == repr(agent)
    assert (again.steps, again.updates, again.seed) == (agent.steps, agent.updates, agent.seed)
    assert np.array_equal(again.q, agent.q)
    first, second = (list(one.run(2000)) for one in (agent, again))
    assert first == second
    assert np.array_equal(again.q, agent.q)


def test_the_queue_is_in_the_file(tmp_path: Path) -> None:
    # One update a step: the sweep back from the goal has only just begun.
    maze = Maze(["S........G"])
    agent = dp.PrioritizedSweeping(maze, planning_steps=1, threshold=0.0, seed=0)
    for state in range(9):
        agent.observe(state, 3, float(state == 8), state + 1, state == 8)
    agent.save(tmp_path / "agent.safetensors")
    _, arrays, _ = files.read_model_file(tmp_path / "agent.safetensors")
    assert list(arrays["queued"]) == [4 * 7 + 3]
    assert list(arrays["priorities"]) == [0.95]


def test_a_fresh_agent_can_be_saved(tmp_path: Path) -> None:
    path = tmp_path / "agent.safetensors"
    dp.DynaQ(Maze(), learning_rate=1, seed=0).save(path)
    again = dp.load(path, Maze())
    assert np.array_equal(
        again.learn(500).q, dp.DynaQ(Maze(), learning_rate=1, seed=0).learn(500).q
    )


def test_the_same_agent_gives_the_same_bytes(agent: Any, saved: Path, tmp_path: Path) -> None:
    agent.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == saved.read_bytes()


def test_its_environment_must_fit(agent: Any, saved: Path) -> None:
    with pytest.raises(
        dp.ArgumentError, match=f"env: got None, must be the .* {type(agent).__name__}"
    ):
        dp.load(saved)
    with pytest.raises(dp.ModelFileError, match="values"):
        dp.load(saved, Maze(factor=2))
    with pytest.raises(TypeError, match="env"):
        dp.load(saved, "FrozenLake-v1")


def test_a_truncated_file_is_refused(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes()[:-8])
    with pytest.raises(dp.ModelFileError):
        dp.load(saved, Maze())


def change(name: str, place: int, value: float) -> Callable[[Any, Any], None]:
    def apply(arrays: dict[str, Any], header: dict[str, Any]) -> None:
        arrays[name].flat[place] = value

    return apply


def put(group: str, name: str, value: Any) -> Callable[[Any, Any], None]:
    def apply(arrays: dict[str, Any], header: dict[str, Any]) -> None:
        (header[group] if group else header)[name] = value

    return apply


def drop(name: str) -> Callable[[Any, Any], None]:
    return lambda arrays, header: arrays.pop(name)


def cut(name: str) -> Callable[[Any, Any], None]:
    return lambda arrays, header: arrays.update({name: arrays[name][:-1]})


def twice(arrays: dict[str, Any], header: dict[str, Any]) -> None:
    arrays["tried"][1] = arrays["tried"][0]


def queue(pair: float, priority: float) -> Callable[[Any, Any], None]:
    def apply(arrays: dict[str, Any], header: dict[str, Any]) -> None:
        arrays["queued"] = np.array([pair], np.float64)
        arrays["priorities"] = np.array([priority])

    return apply


@pytest.mark.parametrize(
    "damage",
    [
        change("tried", 0, -1.0),
        change("tried", 0, 216.0),
        change("tried", 0, 0.5),
        change("tried", 0, 1e300),
        twice,
        change("next_states", 0, -1.0),
        change("next_states", 0, 55.0),
        change("last_tried", 0, 0.0),
        change("last_tried", 0, 1501.0),
        change("rewards", 0, 1e200),
        queue(0.0, -1.0),
        queue(1e6, 1.0),
        queue(4.0 * 7.0, 1.0),  # inside a wall: never tried
        *(drop(name) for name in ("values", "tried", "rewards", "queued", "priorities")),
        *(cut(name) for name in ("values", "next_states", "rewards", "last_tried")),
        put("counts", "steps", -1),
        put("counts", "steps", 2**60),
        put("counts", "place", 2**64),
        put("counts", "place", -1),
        put("counts", "updates", 1.5),
        put("settings", "learning_rate", 2.0),
        put("settings", "planning_steps", -3),
        put("settings", "planning_steps", 10**19),
        put("settings", "extra", 1.0),
        put("", "seed", 2**64),
        put("", "seed", "0"),
    ],
)
def test_a_file_that_makes_no_agent_is_refused(
    agent: Any, saved: Path, damage: Callable[[Any, Any], None]
) -> None:
    kind, arrays, header = files.read_model_file(saved)
    damage(arrays, header)
    files.write_model_file(saved, kind, arrays, header)
    with pytest.raises(dp.ModelFileError, match=r"agent\.safetensors"):
        dp.load(saved, Maze())


def test_random_damage_gives_an_agent_that_works_or_a_model_file_error(
    agent: Any, saved: Path
) -> None:
    content = saved.read_bytes()
    generator = np.random.default_rng(0)
    loaded = 0
    for _ in range(300):
        header, data = split(content)
        changed = bytearray(data)
        for place in generator.integers(len(data), size=generator.integers(1, 4)):
            changed[place] = generator.integers(256)
        document = json.loads(header["__metadata__"]["dynaplan"])
        group = generator.choice(["settings", "counts"])
        if generator.random() < 0.3:
            name = generator.choice(list(document["header"][group]))
            document["header"][group][name] = float(generator.normal()) * 1e3
        header["__metadata__"]["dynaplan"] = json.dumps(document)
        saved.write_bytes(signed(joined(header, bytes(changed))))
        try:
            again = dp.load(saved, Maze())
        except dp.ModelFileError:
            continue
        loaded += 1
        with np.errstate(all="ignore"):
            Maze().run(again, 200)
    assert loaded > 0
