"""The kinds of files: good ones, how they are changed, and what a loaded one must be able to do."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from archive_mutations import checkpoint_file, transitions_file
from mutations import Change, model_file

import dynaplan as dp
from dynaplan.envs.mazes import Maze
from model_files import LEARNT, MODELS, NETWORKS, PROCESSES, TERMINATIONS
from reference.agent_tasks import Follow
from reference.dyna_loop import quadratic

# Settings that are right and take long: nothing is learned with them.
MANY = 1000


@dataclass(frozen=True)
class Kind:
    """A kind of files.

    Attributes:
        make: makes objects that have a `save`.
        change: changes a file.
        load: loads one.
        use: uses what was loaded, and saves it to the path.
    """

    make: Callable[[], Iterable[Any]]
    change: Change
    load: Callable[[Path], Any]
    use: Callable[[Any, Path], None]

    def files(self, folder: Path) -> list[bytes]:
        """The content of good files."""
        contents = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dp.RankDeficientWarning)
            for one in self.make():
                one.save(folder / "good")
                contents.append((folder / "good").read_bytes())
        return contents


def use_model(model: Any, path: Path) -> None:
    model.predict(np.zeros(model.state_dim), np.zeros(model.action_dim))
    model.save(path)
    dp.load(path)


def use_termination(termination: Any, path: Path) -> None:
    rows = np.zeros((3, termination.state_dim))
    termination(rows, rows[:, :1], rows)
    termination.probability(rows)
    repr(termination)
    termination.save(path)
    dp.load(path)


def agents() -> Iterable[Any]:
    for settings in ({}, {"temperature": 0.1, "activation": "tanh"}, {"hidden": ()}):
        one = dp.SAC(
            Follow(terminates=True),
            **{
                "hidden": (4,),
                "batch_size": 8,
                "learning_starts": 5,
                "buffer_size": 50,
                **settings,
            },
            seed=0,
        )
        yield one.learn(12)


class SavedWithoutReplay:
    def save(self, path: Path) -> None:
        next(iter(agents())).save(path, replay=False)


def use_sac(agent: Any, path: Path) -> None:
    agent.act(np.zeros((2, agent.state_dim)))
    settings = agent.settings
    if max(settings.batch_size, settings.gradient_steps, settings.imagined_buffer_size) < MANY:
        rows = np.zeros((20, agent.state_dim)), np.zeros((20, agent.action_dim)), np.zeros(20)
        agent.observe(*rows[:2], rows[2], rows[0], np.zeros(20, np.bool_))
        with suppress_divergence():
            agent.update(2)
    if is_saved(agent, path):
        dp.load(path)


@contextmanager
def suppress_divergence() -> Iterator[None]:
    """Numbers may be finite and yet so large that a loss is not; the agent says so."""
    try:
        yield
    except dp.NumericalError as error:
        if not re.match(r"update \d+: the loss of the (critics|actor) is ", str(error)):
            raise


def is_saved(owner: Any, path: Path) -> bool:
    """A network of huge numbers may learn its way to infinity, which no file holds."""
    try:
        owner.save(path)
    except dp.ModelFileError as error:
        if "cannot be written" not in str(error):
            raise
        return False
    return True


def tables() -> Iterable[Any]:
    for kind in (dp.DynaQ, dp.DynaQPlus, dp.PrioritizedSweeping):
        yield kind(Maze(), planning_steps=3, seed=2**64 - 1).learn(600)
        yield kind(Maze(), seed=0)


def use_table(agent: Any, path: Path) -> None:
    if agent.planning_steps < MANY:
        for _ in agent.run(50):
            pass
    agent.save(path)
    dp.load(path, Maze())


def named_transitions() -> dp.Transitions:
    states, actions = LEARNT.states, LEARNT.actions
    names = [f"s{i}" for i in range(states.shape[1])]
    known: dict[str, Any] = {"state_names": names, "units": {"s0": "m"}, "time_step": 0.1}
    known["known"] = {0: 0}
    return dp.Transitions(states, actions, states, **known)


def use_transitions(data: Any, path: Path) -> None:
    data.save(path)
    if dp.load(path) != data:
        raise AssertionError("what was saved is not what was loaded")


def loops() -> Iterable[Any]:
    yield small_loop()
    yield small_loop().learn(30)
    yield small_loop().learn(70)


def small_loop() -> Any:
    env = gym.make("Pendulum-v1")
    return dp.Dyna(
        env,
        dp.SAC(env, hidden=(4,), batch_size=8, buffer_size=100, seed=0),
        quadratic,
        reward=dp.rewards.for_env(env),
        updates_per_step=2,
        rollouts_per_step=3,
        random_steps=40,
        refit_every=20,
        seed=0,
    )


def restored(path: Path) -> Any:
    with suppress(dp.ModelFileError):
        dp.load(path)
        raise AssertionError("a checkpoint was loaded as something else")
    made = small_loop()
    try:
        made.restore(path)
    except dp.ArgumentError as error:
        # Its transitions are right in themselves, but not those of the environment.
        if not str(error).startswith("env: does not do the same again"):
            raise
        raise dp.ModelFileError(f"{path}: {error}") from error
    return made


def use_loop(made: Any, path: Path) -> None:
    settings = made.agent.settings
    if max(settings.batch_size, settings.gradient_steps, settings.imagined_buffer_size) < MANY:
        try:
            with suppress_divergence():
                made.learn(3)
        except dp.ArgumentError as error:
            # Weights may be finite and yet so large that actions are not; the loop says so.
            if not str(error).startswith("agent: got action"):
                raise
    if is_saved(made, path):
        small_loop().restore(path)


KINDS = {
    "linear": Kind(lambda: (make() for make in MODELS.values()), model_file, dp.load, use_model),
    "process": Kind(
        lambda: (make() for make in PROCESSES.values()), model_file, dp.load, use_model
    ),
    "network": Kind(lambda: (make() for make in NETWORKS.values()), model_file, dp.load, use_model),
    "termination": Kind(
        lambda: (make() for make in TERMINATIONS.values()), model_file, dp.load, use_termination
    ),
    "SAC": Kind(lambda: [*agents(), SavedWithoutReplay()], model_file, dp.load, use_sac),
    "tabular": Kind(tables, model_file, lambda path: dp.load(path, Maze()), use_table),
    "transitions": Kind(
        lambda: [LEARNT, LEARNT[:1], named_transitions()],
        transitions_file,
        dp.load,
        use_transitions,
    ),
    "checkpoint": Kind(loops, checkpoint_file, restored, use_loop),
}
