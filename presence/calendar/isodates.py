"""Dates and datetimes in ISO 8601, read alike by every Python (3.10 knows less of it than 3.11)."""

from __future__ import annotations

import re
from datetime import date, datetime, timezone

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATETIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].+)?")


def looksLikeDatetime(value: object) -> bool:
    """Whether `value` is a datetime, or a string that begins with a date as one in ISO 8601 does."""
    return isinstance(value, datetime) or (isinstance(value, str) and _DATE.match(value.strip()) is not None)


def isoDate(value: object) -> date:
    """The day that `value` says: a `datetime.date`, or a string like ``"2026-12-24"``.

    Raises `ValueError` for anything else, a datetime included: a time of day has no place here.
    """
    if isinstance(value, str) and _DATE.fullmatch(value.strip()):
        try:
            return date.fromisoformat(value.strip())
        except ValueError as problem:
            raise ValueError(f"{value!r} is not a date: {problem}") from None
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise ValueError(f'{value!r} is not a date: write "2026-12-24" or datetime.date(2026, 12, 24)')


def isoDatetime(value: object) -> datetime:
    """The datetime that `value` says, naive as it is written, or in UTC if it is aware.

    `value` is a datetime or a string like ``"2026-12-24T19:00"``, ``"2026-12-24 19:00:30+01:00"`` or
    ``"2026-12-24"`` (the midnight with which that day begins).
    Raises `ValueError` for anything else.
    """
    if isinstance(value, datetime):
        return _plain(value)
    if isinstance(value, str) and _DATETIME.fullmatch(value.strip()):
        from dateutil.parser import isoparse  # noqa: PLC0415 (the command line begins sooner without it)

        try:
            return _plain(isoparse(value.strip()))
        except ValueError as problem:
            raise ValueError(f"{value!r} is not a datetime: {problem}") from None
    raise ValueError(
        f'{value!r} is not a datetime: write "2026-12-24T19:00" or datetime(2026, 12, 24, 19, 0)'
    )


def _plain(value: datetime) -> datetime:
    """`value` without a fold, and in UTC if it is aware: so that equal instants compare equal."""
    try:
        if value.utcoffset() is None:
            return value.replace(tzinfo=None, fold=0)
        return value.astimezone(timezone.utc)
    except OverflowError:
        raise ValueError(
            f"{value.isoformat()} does not lie in the calendar any more, in UTC: it ends with the years 1 and 9999"
        ) from None
