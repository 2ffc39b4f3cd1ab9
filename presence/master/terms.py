"""What `PresenceService` says of workers by name or pattern: their breaks, and their owners."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from buildbot import config

from presence.breaks.schedule import BreakSchedule
from presence.master.slave.keywords import checkConditions, checkOwners, checkSchedule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from presence.master.conditions.written import Condition


class Terms:
    """Made of `onBreakDuring=`, `timezone=`, `owners=` and `availableWhile=`, which are dictionaries with names or patterns of
    workers, but for the zone.

    Whoever is named is not looked for among the patterns; of several patterns that match, each adds its own. Each mistake is
    a `config.error`.
    """

    def __init__(
        self, onBreakDuring: Any = None, timezone: Any = None, owners: Any = None, availableWhile: Any = None
    ) -> None:
        self._breaks = _dictionary("onBreakDuring", onBreakDuring, '{"mac-*": ("07:00", "19:00")}')
        self._owners = _dictionary("owners", owners, '{"mac-*": "me@example.org"}')
        self._conditions = _dictionary("availableWhile", availableWhile, '{"mac-*": isCool}')
        self._timezone = timezone
        for pattern, breaks in self._breaks.items():
            checkSchedule(f"PresenceService: {pattern!r}", breaks, timezone)
        for pattern, who in self._owners.items():
            checkOwners(f"PresenceService: {pattern!r}", who)
        for pattern, asked in self._conditions.items():
            checkConditions(f"PresenceService: {pattern!r}", asked)

    def of(self, name: str) -> tuple[BreakSchedule, tuple[str, ...], tuple[Condition, ...]]:
        """The breaks, the owners and the conditions of the worker `name`."""
        breaks = [each for found in _found(self._breaks, name) for each in _listed(found)]
        schedule = BreakSchedule.fromConfig(breaks or None, self._timezone)
        owners = dict.fromkeys(
            each for found in _found(self._owners, name) for each in checkOwners(name, found)
        )
        conditions = [each for found in _found(self._conditions, name) for each in _listed(found)]
        return schedule, tuple(owners), checkConditions(name, conditions or None)

    def unused(self, names: Iterable[str]) -> list[str]:
        """The patterns that match none of these workers: there may be a mistake in them."""
        known = tuple(names)
        return [
            pattern
            for pattern in dict.fromkeys((*self._breaks, *self._owners, *self._conditions))
            if not any(fnmatchcase(name, pattern) for name in known)
        ]


def _dictionary(keyword: str, value: Any, example: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if isinstance(value, dict) and all(isinstance(each, str) and each for each in value):
        return value
    config.error(
        f"PresenceService: {keyword}={value!r} is not right: give a dictionary with names of workers, or patterns, "
        f"as in {keyword}={example}"
    )
    return {}


def _found(given: Mapping[str, Any], name: str) -> list[Any]:
    if name in given:
        return [given[name]]
    return [value for pattern, value in given.items() if fnmatchcase(name, pattern)]


def _listed(given: Any) -> list[Any]:
    if given is None:
        return []
    return given if isinstance(given, list) else [given]
