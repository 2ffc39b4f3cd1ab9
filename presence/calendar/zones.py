"""Time zones: by IANA name, by tzinfo, and the one of this host.

A zone is *written* as an IANA name or, if it has none, as a tzinfo: that is what compares equal and can be
pasted back. It is *used* as a tzinfo that keeps PEP 495 (which is the law for times that exist twice or never).
"""

from __future__ import annotations

import io
import os
import re
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from presence.calendar.zonehints import zoneHint

if TYPE_CHECKING:
    from collections.abc import Mapping

_DAY = timedelta(days=1)
_SOME_DAY = datetime(2000, 1, 1)  # noqa: DTZ001 (a wall clock time)
_ZONEINFO_FOLDERS = re.compile(r"zoneinfo/(?:posix/)?([^']+)")
# Files which lie in some hosts' zoneinfo folders and are not IANA zones: copies, and clocks with leap seconds.
_NO_IANA_NAMES = re.compile(r"localtime|posixrules|Factory|posix/.*|right/.*")

# zones that have the abbreviation of a place's winter time, and never its summer time
_FIXED = {"EST": "America/New_York", "MST": "America/Denver", "HST": "Pacific/Honolulu"}
_SIGNED = re.compile(r"Etc/GMT([+-])([1-9][0-9]?)")
# what POSIX takes for TZ: a name and an offset, and the rule of the summer time if there is one
_POSIX_RULES = re.compile(
    r"(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]+>)[+-]?[0-9]{1,2}(?::[0-9:]+)?(?:(?:[A-Za-z]{3,}|<).*)?"
)


def canonicalZone(value: object) -> str | tzinfo:
    """The zone that `value` says, as it is written: an IANA name wherever it has one, else a tzinfo.

    `value` is an IANA name or a tzinfo (of `zoneinfo`, `datetime`, dateutil, …).
    Raises `ValueError` for a name which `zoneinfo` does not know, POSIX strings such as ``"ABC5"`` included.
    """
    if isinstance(value, str):
        return _checked(value)
    if not isinstance(value, tzinfo):
        raise ValueError(  # noqa: TRY004 (mistakes are ValueErrors)
            f'{value!r} is not a time zone: write an IANA name such as "Europe/Berlin", or a tzinfo'
        )
    if (name := _name_of(value)) is not None and _is_known(name):
        return name
    try:
        offset = value.utcoffset(_SOME_DAY)
    except NotImplementedError:
        offset = None
    if offset is None:
        raise ValueError(f"{value!r} is not a time zone: it does not know its offset from UTC")
    from dateutil import tz as dateutil_tz  # noqa: PLC0415 (the command line begins sooner without it)

    if isinstance(value, (timezone, dateutil_tz.tzutc, dateutil_tz.tzoffset)):
        return timezone(offset) if offset else "UTC"
    return value


def zoneWarning(written: object) -> str | None:
    """What is surprising about a zone from `canonicalZone()`: a sentence for people; None if nothing is."""
    if not isinstance(written, str):
        return None
    if (place := _FIXED.get(written)) is not None:
        return (
            f"{written!r} has no summer time, all year: it is not the zone of a place where clocks change; write "
            f"{place!r} for that"
        )
    if (match := _SIGNED.fullmatch(written)) is not None:
        ahead = "ahead of" if match[1] == "-" else "behind"
        return f"{written!r} is {match[2]} hours {ahead} UTC: the sign in these names is that of POSIX"
    return None


def localZoneWarning(environ: Mapping[str, str] = os.environ) -> str | None:
    """What is wrong with the variable ``TZ`` of this host; None if nothing is.

    The C library takes a value that it cannot read for UTC, and says nothing.
    """
    value = environ.get("TZ", "").removeprefix(":")
    if not value or _is_known(value) or _POSIX_RULES.fullmatch(value):
        return None
    if value.startswith("/") and _from_file(Path(value)) is not None:
        return None
    return (
        f"the environment variable TZ is {value!r}, which names no time zone, so this host's local time is UTC: "
        f"{zoneHint(value, available_timezones())}"
    )


def zoneFor(written: str | tzinfo) -> tzinfo:
    """The tzinfo to calculate with, for a zone from `canonicalZone()`. It keeps PEP 495."""
    if written == "UTC":
        return _utc()
    if isinstance(written, str):
        return ZoneInfo(written)
    if isinstance(written, (ZoneInfo, timezone)):
        return written
    return _Pep495(written)


def zoneName(written: str | tzinfo) -> str:
    """What a zone from `canonicalZone()` is called: its IANA name, or "UTC+02:00". The others have no name: "local time"."""
    return str(written) if isinstance(written, (str, timezone)) else "local time"


def localZone(
    environ: Mapping[str, str] = os.environ, localtime: Path = Path("/etc/localtime")
) -> str | tzinfo:
    """The zone of this host with its rules, as it is written: what ``TZ`` says, else ``/etc/localtime``.

    Where neither names a zone with rules (a POSIX string in ``TZ``, Windows) it is dateutil's
    `tzlocal()`, which asks the C library.
    """
    if "TZ" in environ:
        return _from_tz_variable(environ["TZ"])
    return _from_file(localtime) or _of_the_c_library()


def _of_the_c_library() -> tzinfo:
    from dateutil.tz import tzlocal  # noqa: PLC0415 (as above)

    return tzlocal()


def _from_tz_variable(value: str) -> str | tzinfo:
    """What ``TZ`` says: nothing (that is UTC), a name, a path, or a POSIX string."""
    value = value.removeprefix(":")
    if not value:
        return "UTC"
    if _is_known(value):
        return value
    found = _from_file(Path(value)) if value.startswith("/") else None
    return found or _of_the_c_library()


def _from_file(path: Path) -> str | tzinfo | None:
    """The zone in a compiled zone file: by the name it has in a zoneinfo folder, else by what is in it."""
    inside = _ZONEINFO_FOLDERS.search(path.resolve().as_posix())
    if inside and _is_known(inside[1]):
        return inside[1]
    try:
        return _from_bytes(path.read_bytes())
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=8)
def _from_bytes(content: bytes) -> ZoneInfo:
    """One object for one content, as zones without a name compare by identity."""
    return ZoneInfo.from_file(io.BytesIO(content))


def _checked(name: str) -> str:
    if _is_known(name):
        return name
    raise ValueError(
        f"{name!r} is not a time zone that zoneinfo knows: {zoneHint(name, available_timezones())}"
    )


def _utc() -> tzinfo:
    """UTC, which is there also where there is no database of zones."""
    try:
        return ZoneInfo("UTC")
    except ZoneInfoNotFoundError:
        return timezone.utc


def _is_known(name: str) -> bool:
    if _NO_IANA_NAMES.fullmatch(name):
        return False
    if name == "UTC":
        return True
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; not a name at all; a folder
        return False
    return True


def _name_of(zone: tzinfo) -> str | None:
    """The IANA name of `zone`, as zoneinfo (key), pytz (zone) or dateutil (the file it was read from) tell it."""
    for attribute in ("key", "zone"):
        name = getattr(zone, attribute, None)
        if isinstance(name, str):
            return name
    from dateutil.tz import tzfile  # noqa: PLC0415 (as above)

    if isinstance(zone, tzfile):
        inside = _ZONEINFO_FOLDERS.search(repr(zone))
        return inside[1] if inside else None
    return None


class _Pep495(tzinfo):
    """A zone that keeps PEP 495, around one that may not: some of dateutil's move a time which a gap
    leaves out backwards. It relies on nothing but the other's `fromutc()`.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    def fromutc(self, dt: datetime) -> datetime:
        return self._zone.fromutc(dt.replace(tzinfo=self._zone)).replace(tzinfo=self)

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        if dt is None:
            return None
        wall = dt.replace(tzinfo=None, fold=0)
        before, after = self._offset_at(wall - _DAY), self._offset_at(wall + _DAY)
        is_before = self._offset_at(wall - before) == before
        is_after = self._offset_at(wall - after) == after
        if is_before == is_after:  # the time exists twice, or never, or nothing changes
            return after if dt.fold else before
        return before if is_before else after

    def _offset_at(self, instant: datetime) -> timedelta:
        """The offset at an instant, which is given as a naive datetime in UTC."""
        local = self._zone.fromutc(instant.replace(tzinfo=self._zone))
        return local.replace(tzinfo=None) - instant

    def tzname(self, dt: datetime | None) -> str | None:
        return self._zone.tzname(dt.replace(tzinfo=self._zone) if dt else None)

    def dst(self, dt: datetime | None) -> timedelta | None:
        return self._zone.dst(dt.replace(tzinfo=self._zone) if dt else None)
