"""How a command refuses a request: in one line that names the option."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["RefusalError", "refusing"]


class RefusalError(Exception):
    """The request cannot be met; the text is one line that says why."""


@contextmanager
def refusing(option: str, *kinds: type[Exception]) -> Iterator[None]:
    """Makes errors of these kinds a refusal of one line that names the option."""
    try:
        yield
    except kinds as error:
        text = getattr(error, "strerror", None) or str(error)
        # The option stands for the argument `env` of the functions that it is passed to.
        reason = " ".join(text.split()).removeprefix("env: ")
        raise RefusalError(f"{option}: {reason}") from error
