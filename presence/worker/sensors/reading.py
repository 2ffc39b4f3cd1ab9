"""What a sensor says: a value, and how it is checked, for a sensor may be anybody's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypedDict

from presence.calendar.instants import isFinite
from presence.text import MAX_REASON, cut, readLine, shown
from presence.worker.looking.cannottell import CannotTellError

#: How long the name of a sensor may be, in characters.
MAX_SENSOR = 40


# two clocks of a machine may differ by so many seconds
_LEEWAY = 5.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What a sensor says of this moment.

    `away` is whether the owner needs the machine, or None when that cannot be told. `text` is for people, one line: the
    reason where it is true, else what was seen, or why nothing was. `last` is when it was true last, in seconds since the
    epoch, where that is known; what is in the future is not believed: the clock has been set back since.
    """

    away: bool | None
    text: str
    last: float | None = None


class Sensor(Protocol):
    """Something that can tell whether the owner needs the machine. Those that there are: `presence.worker.sensors`; an
    owner may write others.
    """

    #: what it is called: one line, at most `MAX_SENSOR` characters; no two of a worker have the same name
    name: str
    #: how long it is from one look to the next, in seconds
    every: float
    #: how long it has to be otherwise before the worker accepts builds again, in seconds; 0 for what ends exactly
    quiet: float

    def read(self) -> Reading:
        """Look. It is called in a thread of its own, never twice at once, and may take its time.

        Raises `CannotTellError`; whatever else it raises is taken for that.
        """


class SensorStatus(TypedDict):
    """What there is to see of a sensor: the keys are in ``docs/protocol.rst``. Instants are seconds since the epoch."""

    name: str
    away: bool | None
    text: str
    at: float | None
    holds: bool
    quiet_until: float | None


def statusOf(
    name: str, reading: Reading, at: float | None, *, holds: bool, quietUntil: float | None
) -> SensorStatus:
    """The status of a sensor that was read `at` an instant, and lets go at `quietUntil` if it `holds`."""
    return {
        "name": name,
        "away": reading.away,
        "text": reading.text,
        "at": at,
        "holds": holds,
        "quiet_until": quietUntil if holds else None,
    }


def checkSensors(sensors: Any) -> tuple[Sensor, ...]:
    """`sensors`, if they are a list of sensors, each with a name of its own. `ValueError` if not."""
    if not isinstance(sensors, (list, tuple)):
        raise ValueError(f"sensors={shown(sensors)} is not a list: write sensors=[Used(), OnBattery()]")  # noqa: TRY004
    names: set[str] = set()
    for sensor in sensors:
        if isinstance(sensor, type) or not callable(getattr(sensor, "read", None)):
            raise ValueError(f"sensors: {shown(sensor)} is not a sensor: write Used(), with its brackets")  # noqa: TRY004
        name = _name(getattr(sensor, "name", None))
        if name in names:
            raise ValueError(
                f"sensors: two are called {name!r}: give one of them another name, as in WhileRunning('blender', name='blender')"
            )
        names.add(name)
        _seconds(name, "every", sensor, least=0.5)
        _seconds(name, "quiet", sensor, least=0.0)
    return tuple(sensors)


def checkReading(value: object, now: float) -> Reading:
    """`value`, said at `now`, if it is a `Reading` in all its parts; its text is cut. `CannotTellError` if not."""
    if not isinstance(value, Reading):
        raise CannotTellError(f"it has said {shown(value)}, which is not a Reading")
    if value.away is not None and value.away is not True and value.away is not False:
        raise CannotTellError(f"it has said away={shown(value.away)}: True, False or None is right")
    if not isinstance(value.text, str):
        raise CannotTellError(f"it has said text={shown(value.text)}: one line of text is right")
    if value.last is not None and not isFinite(value.last):
        raise CannotTellError(f"it has said last={shown(value.last)}: seconds since the epoch are right")
    text = (cut(value.text[: 2 * MAX_REASON], MAX_REASON) or "").strip()
    last = value.last
    return Reading(value.away, text, None if last is None or last > now + _LEEWAY else min(float(last), now))


def _name(name: object) -> str:
    try:
        line = readLine(name, MAX_SENSOR).strip()
    except ValueError as problem:
        raise ValueError(f"sensors: the name of one of them: {problem}") from None
    if not line:
        raise ValueError("sensors: one of them has an empty name: give it one")
    return line


def _seconds(name: str, what: str, sensor: object, least: float) -> None:
    value = getattr(sensor, what, None)
    if not isFinite(value) or value < least:
        raise ValueError(
            f"sensors: {what}={shown(value)} of {name!r} is wrong: at least {least:g} seconds are right"
        )
