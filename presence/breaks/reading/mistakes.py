"""Mistakes, collected: whoever writes a configuration is told all of them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_T = TypeVar("_T")


class BreakErrors(ValueError):  # noqa: N818 (it holds several)
    """Everything that is wrong with a break, or a value of ``onBreakDuring``: in `messages`, one for each mistake."""

    def __init__(self, messages: Iterable[str]) -> None:
        self.messages = tuple(messages)
        super().__init__("; ".join(self.messages))


def collected(prefix: str, reader: Callable[[Any], _T], value: object, messages: list[str]) -> _T | None:
    """What `reader` makes of `value`; None if it raises a `ValueError`, whose messages are added then."""
    try:
        return reader(value)
    except BreakErrors as problems:
        messages += [f"{prefix}{message}" for message in problems.messages]
    except ValueError as problem:
        messages.append(f"{prefix}{problem}")
    return None


def read(name: str, reader: Callable[[Any], _T], value: object, messages: list[str]) -> _T | None:
    """What `reader` makes of the argument `name`; None if it is not given."""
    return None if value is None else collected(f"{name}: ", reader, value, messages)
