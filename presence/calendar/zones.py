"""Time zones: by IANA name, by tzinfo, and the one of this host.

A zone is *written* as an IANA name or, if it has none, as a tzinfo: that is what compares equal and can be
pasted back. It is *used* as a tzinfo that keeps PEP 495 (which is the law for times that exist twice or never).
"""

from __future__ import annotations

import difflib
import io
import os
import re
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

from dateutil import tz as dateutil_tz

if TYPE_CHECKING:
    from collections.abc import Mapping

_DAY = timedelta(days=1)
_SOME_DAY = datetime(2000, 1, 1)  # noqa: DTZ001 (a wall clock time)
_ZONEINFO_FOLDERS = re.compile(r"zoneinfo/(?:posix/)?([^']+)")
# Files which lie in some hosts' zoneinfo folders and are no IANA zones: copies, and clocks with leap seconds.
_NO_IANA_NAMES = re.compile(r"localtime|posixrules|Factory|posix/.*|right/.*")
# "ABC5", "CET-1CEST", "UTC+3": offsets, at best with a rule made up by hand
_POSIX = re.compile(r"[A-Za-z]*[+-]?[0-9]")


def canonicalZone(value: object) -> str | tzinfo:
    """The zone that `value` says, as it is written: an IANA name wherever it has one, else a tzinfo.

    `value` is an IANA name or a tzinfo (of `zoneinfo`, `datetime`, dateutil, …).
    Raises `ValueError` for a name which `zoneinfo` does not know, POSIX strings such as ``"ABC5"`` included.
    """
    if isinstance(value, str):
        return _checked(value)
    if not isinstance(value, tzinfo):
        raise ValueError(  # noqa: TRY004 (mistakes are ValueErrors)
            f'{value!r} is no time zone: write an IANA name such as "Europe/Berlin", or a tzinfo'
        )
    if (name := _name_of(value)) is not None and _is_known(name):
        return name
    try:
        offset = value.utcoffset(_SOME_DAY)
    except NotImplementedError:
        offset = None
    if offset is None:
        raise ValueError(f"{value!r} is no time zone: it does not know its offset from UTC")
    if isinstance(value, (timezone, dateutil_tz.tzutc, dateutil_tz.tzoffset)):
        return timezone(offset) if offset else "UTC"
    return value


def zoneFor(written: str | tzinfo) -> tzinfo:
    """The tzinfo to calculate with, for a zone from `canonicalZone()`. It keeps PEP 495."""
    if isinstance(written, str):
        return ZoneInfo(written)
    if isinstance(written, (ZoneInfo, timezone)):
        return written
    return _Pep495(written)


def localZone(
    environ: Mapping[str, str] = os.environ, localtime: Path = Path("/etc/localtime")
) -> str | tzinfo:
    """The zone of this host with its rules, as it is written: what ``TZ`` says, else ``/etc/localtime``.

    Where neither names a zone with rules (a POSIX string in ``TZ``, Windows) it is dateutil's
    `tzlocal()`, which asks the C library.
    """
    if "TZ" in environ:
        return _from_tz_variable(environ["TZ"])
    return _from_file(localtime) or dateutil_tz.tzlocal()


def _from_tz_variable(value: str) -> str | tzinfo:
    """What ``TZ`` says: nothing (that is UTC), a name, a path, or a POSIX string."""
    value = value.removeprefix(":")
    if not value:
        return "UTC"
    if _is_known(value):
        return value
    found = _from_file(Path(value)) if value.startswith("/") else None
    return found or dateutil_tz.tzlocal()


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
    if _POSIX.match(name):
        raise ValueError(
            f"{name!r} is no time zone that zoneinfo knows: write an IANA name such as "
            '"Europe/Berlin", which has the rules of the place, and not an offset'
        )
    known = available_timezones()
    if not known:
        raise ValueError(f"{name!r}: this Python has no time zones at all; pip install tzdata")
    by_lower = {each.lower(): each for each in known}
    close = difflib.get_close_matches(name.strip().lower(), by_lower, n=1)
    hint = f"did you mean {by_lower[close[0]]!r}?" if close else 'write an IANA name such as "Europe/Berlin"'
    raise ValueError(f"{name!r} is no time zone that zoneinfo knows: {hint}")


def _is_known(name: str) -> bool:
    if _NO_IANA_NAMES.fullmatch(name):
        return False
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
    if isinstance(zone, dateutil_tz.tzfile):
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
