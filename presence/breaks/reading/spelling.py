"""A break in one string, as people write it: ``"Mon-Fri 9:00-17:00"``, ``"7pm to 7am on weekdays"``,
``"FR 18:00 - MO 08:00"``. Nothing is guessed: what has two meanings is refused, with both of them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from presence.calendar.cron import cronHint
from presence.calendar.isodates import looksLikeDatetime
from presence.calendar.weekdays import weekday, weekdays

_DASH = r"\s*(?:[-–—−]|\b(?:to|until|till)\b)\s*"
_EXACT = r"(?:[0-9]{1,2}(?::[0-9]{2}){0,2}\s*[ap]\.?m\b\.?|[0-9]{1,2}(?::[0-9]{2}){1,2}|\bnoon\b|\bmidday\b|\bmidnight\b)"
# what is not a time of day, but is meant to be one: the answer says how it is written
_LOOSE = rf"(?:{_EXACT}|[0-9]{{1,2}}(?:[.h][0-9]{{2}})?h?|[0-9]{{4}})"
_DAY = r"[A-Za-z]{2,9}\.?"
_PATTERN = (
    r"(?P<before>.*?)(?<![\w:.])(?P<start>{time})(?:\s+(?P<start_day>{day}))??{dash}"
    r"(?:(?P<stop_day>{day})\s+)?(?P<stop>{time})(?![\w:])(?P<after>.*)"
)
_TWO_TIMES = [
    re.compile(_PATTERN.format(time=time, day=_DAY, dash=_DASH), re.IGNORECASE | re.DOTALL)
    for time in (_EXACT, _LOOSE)
]
_WHOLE_DAY = re.compile(r"\b(?:all|whole|the whole) day\b(?: long)?|\baround the clock\b", re.IGNORECASE)
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_MOMENT = rf"{_DATE}(?:[T ][0-9]{{2}}:[0-9]{{2}}\S*)?"
_TWO_MOMENTS = re.compile(rf"(?:from\s+)?({_MOMENT})(?:\s*/\s*|{_DASH})({_MOMENT})", re.IGNORECASE)
_TWO_DATES = re.compile(rf"(?:from\s+)?{_DATE}{_DASH}{_DATE}", re.IGNORECASE)
_BETWEEN = re.compile(rf"\bbetween\s+({_LOOSE})\s+and\s+", re.IGNORECASE)
_FROM = re.compile(r"^\s*(?:from|between)\s+|\s+(?:from|between|at)\s*$", re.IGNORECASE)
_WEEKS = re.compile(r"\s*\+\s*([0-9]{1,2})\s*(?:w|weeks?)\s*", re.IGNORECASE)

HOW_TO_WRITE = (
    '"19:00-07:00", "Mon-Fri 9:00-17:00", "FR 18:00 - MO 08:00", or once: "2026-12-24T19:00/2026-12-27T07:00"'
)


class Moment(NamedTuple):
    """A time of day, as it is written, on a day of the week (0 is Monday) or on none, so many weeks later."""

    day: int | None
    clock: str
    weeks: int = 0


def spelledMoment(text: str) -> Moment:
    """What a start or stop such as ``"FR 18:00"``, ``"18:00 Friday"`` or ``"MO 08:00 +1w"`` says.

    What is neither is told as a clock without a day: whoever reads that says what is wrong.
    """
    weeks = 0
    if (later := _WEEKS.search(text)) is not None and later.end() == len(text):
        weeks, text = int(later[1]), text[: later.start()]
    first, _, rest = text.strip().partition(" ")
    if rest and (day := weekday(first)) is not None:
        return Moment(day, rest.strip(), weeks)
    others, _, last = text.strip().rpartition(" ")
    if others and (day := weekday(last)) is not None:
        return Moment(day, others.strip(), weeks)
    return Moment(None, text, weeks)


def spelledBreak(text: str) -> tuple[str, str, str | None]:
    """The start, the stop and the days (or None) of the break that `text` says, as a `Break` takes them.

    Raises `ValueError` if it does not say a start and a stop, with what would be right.
    """
    if (hint := cronHint(text)) is not None:
        raise ValueError(hint)
    if _TWO_DATES.fullmatch(text.strip()):
        raise ValueError(
            f"{text!r} does not say whether the second day is in it: write "
            '"2026-12-24T00:00/2026-12-27T00:00" for three days, up to the midnight with which the 27th begins'
        )
    if once := _TWO_MOMENTS.fullmatch(text.strip()):
        return once[1], once[2], None
    start, slash, stop = text.strip().partition("/")
    if slash and looksLikeDatetime(start):
        return start.strip(), stop.strip(), None
    if looksLikeDatetime(text):
        raise ValueError(
            f"{text!r} is not a break: it is one moment, and a stop belongs to it; write {HOW_TO_WRITE}"
        )
    times = _BETWEEN.sub(r"\1-", _WHOLE_DAY.sub("00:00-24:00", text))
    for pattern in _TWO_TIMES:
        if match := pattern.fullmatch(times.strip()):
            return _put_together(match, text)
    raise ValueError(f"{text!r} is not a break: {_what_is_missing(text)}write {HOW_TO_WRITE}")


def _put_together(match: re.Match[str], text: str) -> tuple[str, str, str | None]:
    start, stop = match["start"], match["stop"]
    before, after = _FROM.sub("", match["before"]).strip(" ,:;"), match["after"].strip(" ,:;")
    if (weeks := _WEEKS.fullmatch(after)) is not None:
        stop, after = f"{stop} +{weeks[1]}w", ""
    first_day, last_day = match["start_day"], match["stop_day"]
    if first_day and not last_day and weekday(after) is not None:
        last_day, after = after, ""  # "18:00 FR - 08:00 MO"
    if last_day and not first_day and weekday(before) is not None:
        first_day, before = before, ""  # "FR 18:00 - MO 08:00"
    if first_day or last_day:
        if before or after or not (first_day and last_day):
            raise ValueError(
                f'{text!r} has a day beside one time only: write both, as in "FR 18:00 - MO 08:00", or the days '
                'once, as in "18:00-08:00 MO-FR"'
            )
        return f"{first_day} {start}", f"{last_day} {stop}", None
    if before and after:
        raise ValueError(
            f'{text!r} has days before the times and after them: write them once, as in "18:00-08:00 MO-FR", or for one '
            'break from day to day as in "FR 18:00 - MO 08:00"'
        )
    return start, stop, before or after or None


def _what_is_missing(text: str) -> str:
    """What `text` lacks, as the beginning of a sentence; nothing if that is not known."""
    try:
        weekdays(text)
    except ValueError:
        times = re.findall(_EXACT, text, re.IGNORECASE)
        return "it has a start and no stop: " if len(times) == 1 else ""
    return f'it says the days and no times: for whole days write "{text.strip()} all day", else '
