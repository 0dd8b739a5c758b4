"""The command line: one parser, its subcommands and the checks of their options."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from dynaplan._version import __version__
from dynaplan.commands import control, mbpo, pets
from dynaplan.commands.planning import HORIZON

__all__ = ["parse"]

_PROGRAM = "python -m dynaplan"
_MAX_COUNT = 2**31 - 1  # the largest number of steps that the core counts
_MAX_SEED = 2**64 - 1
_MAX_THREADS = 1024

_DESCRIPTION = """\
Learn the dynamics of a Gymnasium environment from few real steps, measure how
many steps ahead the model can be trusted, and control the environment with it.
"""
_EXAMPLES = f"""\
examples:
  {_PROGRAM}                       swing a pendulum up
  {_PROGRAM} --steps 400 --seed 3  with more data and other random numbers
  {_PROGRAM} --out pictures/       save the picture in that folder
  {_PROGRAM} --env Reacher-v5      move a robot arm (pip install "dynaplan[mujoco]")
  {_PROGRAM} mbpo --help           the options of another command
"""
_CONTROL = f"""\
Fit a model of {control.ENVIRONMENT} to random real steps by least squares, measure on
held-out data how many steps ahead it can be trusted, then control ten new
episodes by planning with it. Other environments are learned as by pets.
"""
_CONTROL_EXAMPLES = f"""\
examples:
  {_PROGRAM} control                       the same as without a command
  {_PROGRAM} control --steps 400 --seed 3  with more data and other random numbers
"""
_PETS = """\
Learn a model of the environment while controlling it (PETS): an ensemble of
networks, refitted after every few steps, with which each action is planned.
Then control ten new episodes with the last model. Where an environment pays
nothing on the way to its goal, plans count how near their last state is to it,
and the output says so.
"""
_PETS_EXAMPLES = f"""\
examples:
  {_PROGRAM} pets                   swing a pendulum up
  {_PROGRAM} pets --env Acrobot-v1  swing two links up, by discrete actions
  {_PROGRAM} pets --env Reacher-v5  move a robot arm (pip install "dynaplan[mujoco]")
"""
_MBPO = """\
Learn a policy mostly from imagined transitions (MBPO): soft actor-critic,
updated after each real step on rollouts of an ensemble of networks, which are
no longer than the ensemble can be trusted. Then play ten new episodes with the
policy and, from the same starts, with a random one.
"""
_MBPO_EXAMPLES = f"""\
examples:
  {_PROGRAM} mbpo                            swing a pendulum up
  {_PROGRAM} mbpo --env InvertedPendulum-v5  balance a pole (pip install "dynaplan[mujoco]")
  {_PROGRAM} mbpo --imagined 0               the same agent without imagination
  {_PROGRAM} mbpo --checkpoint run.dyna      resume where the last run ended
"""


class _Parser(argparse.ArgumentParser):
    """Keeps the line breaks of its texts, and says in one line what is wrong with an argument."""

    def __init__(self, **settings: Any) -> None:
        # Help is an option like the others, so that it can be listed among them.
        layout = argparse.RawDescriptionHelpFormatter
        super().__init__(formatter_class=layout, add_help=False, **settings)

    def error(self, message: str) -> NoReturn:
        """Ends the process with exit code 2."""
        reason = message.removeprefix("argument ")
        self.exit(2, f"dynaplan: {reason} (see {self.prog} --help)\n")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Reads the arguments; where they name no command, it is `control`.

    Args:
        arguments: what follows the name of the program.

    Returns:
        The options; `options.run(options, console)` does what they ask for.

    Raises:
        SystemExit: after `--help` or `--version` with code 0, after a wrong argument with code 2.
    """
    parser, commands = _parsers()
    first = arguments[0] if arguments else ""
    if first and not first.startswith("-") and first not in commands:
        parser.error(f"command: got {first!r}, must be one of {', '.join(commands)}")
    options, unknown = parser.parse_known_args(arguments)
    if options.command not in (None, first):
        parser.error(f"{options.command}: a command must come before its options")
    if unknown:
        commands.get(first, parser).error(f"unrecognized arguments: {' '.join(unknown)}")
    return options


def _parsers() -> tuple[_Parser, dict[str, _Parser]]:
    """Returns the parser and, by their names, those of the commands."""
    parser = _Parser(
        prog=_PROGRAM,
        usage=f"{_PROGRAM} [COMMAND] [OPTION ...]",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
    )
    made = parser.add_subparsers(
        title="commands", prog=_PROGRAM, dest="command", metavar="COMMAND", parser_class=_Parser
    )
    commands = {
        "control": made.add_parser(
            "control",
            help="fit a model to random steps, check it, plan with it (default)",
            description=_CONTROL,
            epilog=_CONTROL_EXAMPLES,
        ),
        "pets": made.add_parser(
            "pets",
            help="learn a model while planning with it",
            description=_PETS,
            epilog=_PETS_EXAMPLES,
        ),
        "mbpo": made.add_parser(
            "mbpo",
            help="learn a policy, mostly from imagined transitions",
            description=_MBPO,
            epilog=_MBPO_EXAMPLES,
        ),
    }
    _add_control(parser, "options of control, which may be given without a command")
    _add_control(commands["control"], "options")
    _add_pets(commands["pets"])
    _add_mbpo(commands["mbpo"])
    return parser, commands


def _add_control(parser: _Parser, title: str) -> None:
    parser.set_defaults(run=control.run)
    group = parser.add_argument_group(title)
    _add_shared(group)
    # The default depends on the environment.
    words = (
        f"{control.STEPS}, a quarter of them held out for the check; {pets.STEPS} for "
        f"environments other than {control.ENVIRONMENT}"
    )
    _add_steps(group, 2, None, words)
    _add_planning(group)


def _add_pets(parser: _Parser) -> None:
    parser.set_defaults(run=pets.run)
    group = parser.add_argument_group("options")
    _add_shared(group)
    _add_steps(group, 2, pets.STEPS)
    _add_planning(group)


def _add_mbpo(parser: _Parser) -> None:
    parser.set_defaults(run=mbpo.run)
    group = parser.add_argument_group("options")
    _add_shared(group)
    _add_steps(group, 1, mbpo.STEPS)
    group.add_argument(
        "--imagined",
        type=_integer(0),
        default=40,
        metavar="K",
        help="updates of the agent after each real step, mostly on imagined transitions; 0: plain "
        "SAC, one update on real ones (default: %(default)s)",
    )
    group.add_argument(
        "--threads",
        type=_integer(1, _MAX_THREADS),
        default=1,
        metavar="N",
        help="threads to use; the results do not depend on their number (default: %(default)s)",
    )
    group.add_argument("--csv", metavar="PATH", help="file to log to, one row per episode")
    group.add_argument("--tensorboard", metavar="PATH", help="folder to log to for TensorBoard")
    group.add_argument(
        "--checkpoint",
        metavar="PATH",
        help="file to resume from if it exists, and to save to at the end and after Ctrl-C",
    )


def _add_shared(group: argparse._ArgumentGroup) -> None:
    """Adds the options that every command has."""
    group.add_argument("-h", "--help", action="help", help="show this help and exit")
    group.add_argument(
        "--version",
        action="version",
        version=f"dynaplan {__version__}",
        help="show the version and exit",
    )
    group.add_argument(
        "--env",
        default=control.ENVIRONMENT,
        metavar="ID",
        help="Gymnasium id of the environment (default: %(default)s)",
    )
    group.add_argument(
        "--seed",
        type=_integer(0, _MAX_SEED),
        default=0,
        metavar="N",
        help="the same seed gives the same results (default: %(default)s)",
    )


def _add_steps(
    group: argparse._ArgumentGroup, smallest: int, default: int | None, words: str = "%(default)s"
) -> None:
    group.add_argument(
        "--steps",
        type=_integer(smallest),
        default=default,
        metavar="N",
        help=f"real steps to learn from (default: {words})",
    )


def _add_planning(group: argparse._ArgumentGroup) -> None:
    """Adds the options of the commands that plan."""
    group.add_argument(
        "--horizon",
        type=_integer(1),
        default=None,
        metavar="N",
        help=f"steps to plan ahead (default: {HORIZON}, or 10 for Acrobot-v1)",
    )
    group.add_argument(
        "--out",
        metavar="PATH",
        default="",
        help="folder or .png file for the picture (default: dynaplan-<env>.png in this folder)",
    )


def _integer(smallest: int, largest: int = _MAX_COUNT) -> Callable[[str], int]:
    """Returns the function that reads an integer between these bounds."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = smallest - 1
        if value > largest:
            raise argparse.ArgumentTypeError(
                f"got {text!r}, must be an integer of at most {largest}"
            )
        if value < smallest:
            raise argparse.ArgumentTypeError(
                f"got {text!r}, must be an integer of at least {smallest}"
            )
        return value

    return read
