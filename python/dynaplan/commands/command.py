"""What all commands share: how they read arguments and how they refuse."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

__all__ = ["Parser", "RefusalError", "at_least", "refusing"]


class RefusalError(Exception):
    """What the user asked for cannot be done; the text is one line that says why."""


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with the arguments."""

    def error(self, message: str) -> NoReturn:
        """Ends the process with exit code 2."""
        self.exit(2, f"dynaplan: {message} (see {self.prog} --help)\n")


def at_least(smallest: int) -> Callable[[str], int]:
    """Returns what turns an argument into an integer that is not smaller."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = smallest - 1
        if value < smallest:
            raise argparse.ArgumentTypeError(
                f"expected an integer of at least {smallest}, got {text!r}"
            )
        return value

    return parse


@contextmanager
def refusing(option: str, *kinds: type[Exception]) -> Iterator[None]:
    """Turns errors of these kinds into a refusal of one line that names the option."""
    try:
        yield
    except kinds as error:
        text = getattr(error, "strerror", None) or str(error)
        raise RefusalError(f"{option}: {' '.join(text.split())}") from error
