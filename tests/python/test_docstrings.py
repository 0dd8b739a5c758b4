"""Docstrings that take the descriptions of arguments from others."""

from __future__ import annotations

from dynaplan._docstrings import shares_arguments


class Settings:
    """Settings.

    Args:
        width: how wide,
            in metres.
        height: how high.

    Raises:
        ValueError: never.
    """

    def __init__(self, width: float, height: float) -> None: ...


def test_missing_arguments_are_filled_in_by_the_order_of_the_signature() -> None:
    @shares_arguments(Settings)
    class House:
        """A house.

        Args:
            name: its name.
            height: of the roof.

        Raises:
            TypeError: at times.
        """

        def __init__(self, width: float, name: str, height: float) -> None: ...

    assert House.__doc__ == (
        "A house.\n\nArgs:\n    width: how wide,\n        in metres.\n    name: its name.\n"
        "    height: of the roof.\n\nRaises:\n    TypeError: at times.\n"
    )


def test_without_docstrings_nothing_happens() -> None:
    class House:
        def __init__(self, width: float) -> None: ...

    assert shares_arguments(Settings)(House).__doc__ is None
