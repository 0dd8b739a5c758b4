"""Runs the command line: reads the arguments, does what they ask for, returns the exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from rich.console import Console

from dynaplan.commands.parser import parse
from dynaplan.commands.refusals import RefusalError
from dynaplan.errors import Error

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        arguments: what follows the name of the program; default: those of the process.

    Returns:
        The exit code: 0, 1 if the reader of the output has left, 2 if the request cannot be met,
        130 after Ctrl-C.

    Raises:
        SystemExit: after `--help` or `--version` with code 0, after a wrong argument with code 2.
    """
    options = parse(sys.argv[1:] if arguments is None else arguments)
    console = Console(highlight=False, markup=False)  # names may hold brackets
    try:
        options.run(options, console)
        console.file.flush()
    except (RefusalError, Error) as refusal:
        print(f"dynaplan: {refusal}", file=sys.stderr)
        return 2
    except MemoryError:
        print("dynaplan: out of memory; ask for less, such as fewer --steps", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, for example `head`, has seen enough
        # Python flushes stdout once more as it ends, which must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0
