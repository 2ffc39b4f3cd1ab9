"""`Condition`: what an admin writes as `availableWhile=`, read; each mistake with what would be right."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from presence.calendar.durations import duration
from presence.text import MAX_NAME, readLine, readReason, shown

if TYPE_CHECKING:
    from collections.abc import Callable

# How often a condition may be asked, and how long an answer may take, in seconds.
_SHORTEST, _LONGEST = 1.0, 24 * 3600.0

_EXAMPLE = 'availableWhile=Condition(zabbixIsContent, every="1m")'


@dataclass(frozen=True)
class Condition:
    """A worker accepts builds as long as `ask(name)` says so: it is called with the name of the worker, `every` so often
    (``"1m"``, or seconds), and has `timeout` for an answer.

    ``True`` lets builds start. ``False`` holds the worker, because of `reason`; a text holds it because of that. Anything
    else, an error, and no answer in time, hold it too, and say so. `name` (by default that of the function) is what it is called
    where the hold is shown.

    An ``async def``, and a function of `inlineCallbacks`, run in the reactor, and may wait there for what they like. Any other
    function runs in a thread of its own, so that it may block; with ``blocking=False`` it runs in the reactor, too, and may return a
    Deferred.

    Raises `ValueError` where one of them makes no sense.
    """

    ask: Callable[[str], Any]
    every: Any = "1m"
    timeout: Any = "20s"
    reason: str | None = None
    name: str | None = None
    blocking: bool | None = None

    def __post_init__(self) -> None:
        if not callable(self.ask):
            raise ValueError(  # noqa: TRY004 (mistakes are ValueErrors)
                f"{shown(self.ask)} cannot be asked: give a function that is called with the name of a worker, as in {_EXAMPLE}"
            )
        object.__setattr__(self, "every", _seconds("every", self.every))
        object.__setattr__(self, "timeout", _seconds("timeout", self.timeout))
        object.__setattr__(self, "reason", None if self.reason is None else readReason(self.reason))
        called = self.name if self.name is not None else _name_of(self.ask)
        object.__setattr__(self, "name", readLine(called, MAX_NAME).strip() or "condition")
        if self.blocking not in (None, True, False):
            raise ValueError(f"blocking: {shown(self.blocking)} is neither True nor False")

    @property
    def inThread(self) -> bool:
        """Whether it is asked in a thread."""
        if self.blocking is None:
            return not _is_asynchronous(self.ask)
        return self.blocking


def readConditions(value: Any) -> tuple[Condition, ...]:
    """The conditions that `value` (None, one of them or a function, or a list of those) means, with names that differ.

    Raises `ValueError`.
    """
    if value is None:
        return ()
    listed = value if isinstance(value, (list, tuple)) else [value]
    return named([each if isinstance(each, Condition) else Condition(each) for each in listed])


def named(conditions: list[Condition]) -> tuple[Condition, ...]:
    """The conditions, under names that differ."""
    found: dict[str, Condition] = {}
    for each in conditions:
        name, number = str(each.name), 1
        while name in found:
            number += 1
            name = f"{each.name} {number}"
        renamed = Condition(each.ask, each.every, each.timeout, each.reason, name, each.blocking)
        found[name] = each if name == each.name else renamed
    return tuple(found.values())


def _seconds(keyword: str, value: Any) -> float:
    try:
        seconds = duration(value) if isinstance(value, str) else value
    except ValueError as problem:
        raise ValueError(f"{keyword}: {problem}") from None
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise ValueError(  # noqa: TRY004
            f'{keyword}: {shown(value)} is not a duration: give one such as "1m", or seconds'
        )
    if not _SHORTEST <= seconds <= _LONGEST:
        raise ValueError(f"{keyword}: {shown(value)} is not between a second and a day")
    return float(seconds)


def _name_of(ask: Any) -> str:
    name = str(getattr(ask, "__name__", type(ask).__name__))
    return "condition" if name.startswith("<") else name


def _is_asynchronous(ask: Any) -> bool:
    # of a partial its function, of an object that is called its method; what `inlineCallbacks` has wrapped is a generator's
    function = inspect.unwrap(getattr(ask, "func", ask))
    if not inspect.isroutine(function):
        function = type(function).__call__
    return inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function)
