"""The mistakes one can make in `BuildSlave(...)`, each with what would be right.

All of them become `config.error`s, so that `buildbot checkconfig` lists them at once, and none of them keeps
the rest of `master.cfg` from being read: what is wrong is left out of what the caller gets back.
"""

from __future__ import annotations

import inspect
import warnings
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from buildbot import config
from buildbot.interfaces import IRenderable
from buildbot.warnings import ConfigWarning
from buildbot.worker.base import Worker

from presence.breaks.schedule import BreakSchedule
from presence.calendar.wallclock import UTC
from presence.text import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable

    from presence.master.conditions.written import Condition

#: What a worker is called whose name is missing, until its mistake is mended.
UNNAMED = "unnamed"

_WORKER_KEYWORDS = frozenset(inspect.signature(Worker.checkConfig).parameters) - {"self", "name", "password"}
_KEYWORDS = _WORKER_KEYWORDS | {
    "name",
    "passwd",
    "password",
    "onBreakDuring",
    "workingDuring",
    "timezone",
    "owners",
    "availableWhile",
}


def checkName(kind: str, name: Any) -> str:
    """The name, if it is one."""
    if isinstance(name, bytes):
        name = name.decode("utf-8", "replace")
    if isinstance(name, str) and name:
        return name
    if name is None:
        config.error(f'{kind} has no name: write {kind}(name="…", passwd="…")')
    else:
        config.error(
            f'{kind}: name={name!r} is not a name: give a string that is not empty, as in name="mac-mini"'
        )
    return UNNAMED


def checkPassword(who: str, passwd: Any, password: Any) -> Any:
    """The password, from the one of `passwd=` and `password=` that was given."""
    if passwd is not None and password is not None:
        config.error(f"{who}: passwd= and password= are the same thing: give one of them")
    given = password if passwd is None else passwd
    if given is None:
        config.error(f'{who} has no password: add passwd="…", the one that is in its buildbot.tac')
    elif not isinstance(given, (str, bytes)) and not IRenderable.providedBy(given):
        # the value may be what somebody wanted to keep secret
        config.error(
            f"{who}: passwd= has the type {type(given).__name__}: give a string, or a secret as in util.Secret('…')"
        )
    else:
        return given
    return ""


# One for all workers that have none.
_NEVER = BreakSchedule()


class BreakWarning(ConfigWarning):
    """Something about breaks that is allowed, and hardly meant."""


def checkSchedule(who: str, onBreakDuring: Any, timezone: Any, workingDuring: Any = None) -> BreakSchedule:
    """The schedule that these make; one without breaks when they make none. What is hardly meant is a warning."""
    if onBreakDuring is None and timezone is None and workingDuring is None:
        return _NEVER
    # a farm without breaks has not got what is about them in memory
    from presence.breaks.schedule import BreakErrors  # noqa: PLC0415
    from presence.breaks.warnings import hostWarnings  # noqa: PLC0415
    from presence.calendar.zones import localZone  # noqa: PLC0415

    arguments = {"timezone": timezone, "workingDuring": workingDuring}
    given = f"onBreakDuring={onBreakDuring!r}"
    if workingDuring is not None and onBreakDuring is None:
        given = f"workingDuring={arguments.pop('workingDuring')!r}"
    given += "".join(f", {name}={value!r}" for name, value in arguments.items() if value is not None)
    try:
        schedule = BreakSchedule.fromConfig(onBreakDuring, timezone, workingDuring)
    except BreakErrors as errors:
        for message in errors.messages:
            config.error(f"{who}: {given}: {message}")
        return BreakSchedule.fromConfig(None)
    local = timezone is None and any(each.tz == localZone() for each in schedule.breaks)
    for message in [*(hostWarnings() if local else ()), *_warnings_of(schedule, _now())]:
        warnings.warn(f"{who}: {message}", BreakWarning, stacklevel=2)
    return schedule


def checkConditions(who: str, availableWhile: Any) -> tuple[Condition, ...]:
    """The conditions that are to be asked."""
    if availableWhile is None:
        return ()
    # a farm that measures nothing has not got it in memory
    from presence.master.conditions.written import readConditions  # noqa: PLC0415

    try:
        return readConditions(availableWhile)
    except ValueError as problem:
        config.error(f"{who}: availableWhile={availableWhile!r}: {problem}")
        return ()


@lru_cache(maxsize=64)  # most workers of a farm have the same breaks as some others, and each is asked twice
def _warnings_of(schedule: BreakSchedule, now: datetime) -> tuple[str, ...]:
    from presence.breaks.warnings import warningsOf  # noqa: PLC0415 (see above)

    return tuple(warningsOf(schedule, now))


def _now() -> datetime:
    """The minute of the day, which decides of nothing but whether there is a warning."""
    return datetime.now(UTC).replace(second=0, microsecond=0)


def checkOwners(who: str, owners: Any) -> tuple[str, ...]:
    """The owners: e-mail addresses and names of users."""
    listed = (owners,) if isinstance(owners, str) else () if owners is None else owners
    if isinstance(listed, (list, tuple)) and all(isinstance(each, str) and each.strip() for each in listed):
        return tuple(listed)
    config.error(
        f"{who}: owners={owners!r} is not right: give an e-mail address or the name of a user, or a list of "
        'them, as in owners=["me@example.org"]'
    )
    return ()


def checkKeywords(who: str, keywords: dict[str, Any]) -> dict[str, Any]:
    """Those of the keywords for Buildbot's `Worker` that it knows and that have a value it can use."""
    good = {}
    for keyword, value in keywords.items():
        if keyword not in _WORKER_KEYWORDS:
            config.error(
                f"{who}: there is no keyword {keyword}= (it was given {value!r})"
                + suggestion(keyword, sorted(_KEYWORDS), mark="=")
            )
        elif value is not None and keyword in _VALUES and not _VALUES[keyword][0](value):
            config.error(f"{who}: {keyword}={value!r} is not right: give {_VALUES[keyword][1]}")
        else:
            good[keyword] = value
    return good


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def _is_addresses(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, (list, tuple)) and all(isinstance(address, str) for address in value)
    )


# What Buildbot takes without a question and stumbles over later. None is always right: it means the default.
_VALUES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "max_builds": (
        lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0,
        "a whole number of builds that may run at once, or None for no limit",
    ),
    "notify_on_missing": (_is_addresses, "an e-mail address, or a list of them"),
    "missing_timeout": (_is_number, "a number of seconds, or None to never be told"),
    "keepalive_interval": (_is_number, "a number of seconds"),
    "properties": (lambda value: isinstance(value, dict), "a dictionary"),
    "defaultProperties": (lambda value: isinstance(value, dict), "a dictionary"),
    "locks": (lambda value: isinstance(value, (list, tuple)), "a list, as in [lock.access('counting')]"),
    "machine_name": (lambda value: isinstance(value, str), "the name of one of c['machines']"),
}
