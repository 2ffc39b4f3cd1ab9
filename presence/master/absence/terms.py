"""What `PresenceService` says of workers that have not been seen for long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from buildbot import config

from presence.calendar.durations import duration

#: What may happen to requests that only workers could build which are long absent.
WHEN_ABSENT = ("wait", "cancel")

# Shorter than that is no absence: a worker may be updated, or moved.
_LEAST = 3600.0


@dataclass(frozen=True)
class AbsenceTerms:
    """After how many seconds a worker is long absent, and whether requests that only such ones could build are cancelled."""

    after: float
    cancel: bool


def absenceTerms(absentAfter: Any, whenAbsent: Any) -> AbsenceTerms | None:
    """What is meant by these keywords; None where no worker is ever long absent. Each mistake is a `config.error`."""
    if whenAbsent not in WHEN_ABSENT:
        config.error(
            f"PresenceService: whenAbsent={whenAbsent!r} is not right: give one of {', '.join(WHEN_ABSENT)}"
        )
    if absentAfter is None:
        if whenAbsent == "cancel":
            config.error(
                'PresenceService: whenAbsent="cancel" says what happens to requests that only workers could build which are long absent: '
                'give absentAfter= as well, as in absentAfter="30d"'
            )
        return None
    try:
        return AbsenceTerms(_seconds(absentAfter), whenAbsent == "cancel")
    except ValueError as problem:
        config.error(f"PresenceService: absentAfter={absentAfter!r}: {problem}")
        return None


def _seconds(value: Any) -> float:
    if isinstance(value, str):
        value = duration(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not _LEAST <= value < float("inf"):
        raise ValueError('give a duration of an hour or more, such as "30d", or seconds')
    return float(value)
