"""What somebody may have meant whose time zone `zoneinfo` does not know. A hint is right, or it is not given."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from presence.calendar.windowszones import WINDOWS_ZONES

if TYPE_CHECKING:
    from collections.abc import Collection

_AN_EXAMPLE = 'write an IANA name such as "Europe/Berlin"'

# "ABC5", "CET-1CEST", "UTC+3", "+02:00": offsets, at best with a rule made up by hand
_POSIX = re.compile(r"[A-Za-z]*[+-]?[0-9].*")
_ABBREVIATION = re.compile(r"[A-Z]{2,5}|[a-z]{3,4}t")
# How like another name a name has to be: "Europe/Berln" is, "Europe/Bern" and "Mars/Olympus" are not.
_LIKE = 0.92

# What has another name in the database than on the map; the first that is there is meant.
_PLACES = {
    "kyiv": ("Europe/Kyiv", "Europe/Kiev"),
    "kiev": ("Europe/Kyiv", "Europe/Kiev"),
    "kolkata": ("Asia/Kolkata", "Asia/Calcutta"),
    "bombay": ("Asia/Kolkata", "Asia/Calcutta"),
    "mumbai": ("Asia/Kolkata", "Asia/Calcutta"),
    "delhi": ("Asia/Kolkata", "Asia/Calcutta"),
    "new delhi": ("Asia/Kolkata", "Asia/Calcutta"),
    "bangalore": ("Asia/Kolkata", "Asia/Calcutta"),
    "beijing": ("Asia/Shanghai",),
    "saigon": ("Asia/Ho_Chi_Minh", "Asia/Saigon"),
    "hanoi": ("Asia/Bangkok",),
    "san francisco": ("America/Los_Angeles",),
    "seattle": ("America/Los_Angeles",),
    "boston": ("America/New_York",),
    "washington": ("America/New_York",),
    "montreal": ("America/Toronto",),
    "rio de janeiro": ("America/Sao_Paulo",),
    "munich": ("Europe/Berlin",),
    "münchen": ("Europe/Berlin",),
    "hamburg": ("Europe/Berlin",),
    "frankfurt": ("Europe/Berlin",),
    "cologne": ("Europe/Berlin",),
    "geneva": ("Europe/Zurich",),
    "zürich": ("Europe/Zurich",),
    "milan": ("Europe/Rome",),
    "barcelona": ("Europe/Madrid",),
    "edinburgh": ("Europe/London",),
    "st. petersburg": ("Europe/Moscow",),
    "germany": ("Europe/Berlin",),
    "france": ("Europe/Paris",),
    "uk": ("Europe/London",),
}
# names of another kind: "Eastern" is several countries'
_NOT_PLACES = ("Etc/", "posix/", "right/", "US/", "Canada/", "Mexico/", "Brazil/", "Chile/")


def zoneHint(name: str, known: Collection[str]) -> str:
    """What would be right instead of `name`, which is none of the `known` names of zones: a clause for people."""
    if not known:
        return "this Python has no time zones at all; pip install tzdata"
    text = name.strip()
    found = _same_place(text, known)
    if found is not None:
        return f"did you mean {found!r}?"
    if _ABBREVIATION.fullmatch(text):
        return (
            "abbreviations are not names of zones: several places share one, and it does not say when clocks "
            f"change; {_AN_EXAMPLE}"
        )
    if _POSIX.fullmatch(text):
        return f"{_AN_EXAMPLE}, which has the rules of the place, and not an offset"
    by_lower = {each.lower(): each for each in sorted(known)}
    if re.search("[0-9]", text):  # one digit is as like another as can be, and means another zone
        return _AN_EXAMPLE
    close = difflib.get_close_matches(text.lower(), by_lower, n=1, cutoff=_LIKE)
    return f"did you mean {by_lower[close[0]]!r}?" if close else _AN_EXAMPLE


def _same_place(text: str, known: Collection[str]) -> str | None:
    """The one zone that `text` names, in another spelling than the database's."""
    plain = _plain(text)
    windows = WINDOWS_ZONES.get(plain.removesuffix(" standard time").removesuffix(" daylight time"))
    if windows is not None and " time" in plain:
        return windows if windows in known else None
    for each in _PLACES.get(plain, ()):
        if each in known:
            return each
    same = [each for each in known if plain == _plain(each)]
    if not same and not _ABBREVIATION.fullmatch(text):
        same = [each for each in known if "/" in each and plain == _plain(each.rpartition("/")[2])]
    places = sorted(each for each in same if not each.startswith(_NOT_PLACES))
    return places[0] if len(places) == 1 or (places and plain == _plain(places[0])) else None


def _plain(name: str) -> str:
    return " ".join(name.strip().replace("_", " ").lower().split())
