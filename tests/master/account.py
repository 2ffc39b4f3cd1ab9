"""An account of who may build at which moment, in which nothing is asked of `presence`: breaks are worked out from what
the wall clocks of their zone show, holds from what a simulation itself has done.
"""

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from presence.breaks.schedule import Break

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")


@dataclass(frozen=True)
class Window:
    """A break, as minutes of the day. It begins and ends at times that every day has once."""

    start: int
    stop: int
    days: tuple
    zone: str

    def asBreak(self):
        return Break(_text(self.start), _text(self.stop), days=list(self.days), tz=self.zone)

    def covers(self, instant):
        wall = datetime.fromtimestamp(instant, ZoneInfo(self.zone))
        minute = wall.hour * 60 + wall.minute
        today = wall.weekday() in self.days
        if self.start < self.stop:
            return today and self.start <= minute < self.stop
        yesterday = (wall.weekday() - 1) % 7 in self.days
        return (today and minute >= self.start) or (yesterday and minute < self.stop)


def _text(minute):
    return f"{minute // 60:02}:{minute % 60:02}"


def randomWindow(rng):
    start, stop = rng.sample(range(5 * 60, 23 * 60, 5), 2)
    days = tuple(range(7)) if rng.random() < 0.5 else tuple(sorted(rng.sample(range(7), rng.randint(1, 5))))
    return Window(start, stop, days, rng.choice(ZONES))


def randomWindows(rng):
    return [randomWindow(rng) for _ in range(rng.choice((0, 1, 1, 2)))]


@dataclass
class Account:
    """What should be true of one worker."""

    name: str
    kind: str  # slave, latent or stock
    max_builds: int
    windows: list
    before: list | None = None  # the windows of before, while a reconfig is under way
    connected: bool = False
    paused: bool = False
    graceful: bool = False
    suspended: float = 0.0
    # what has ended by itself stays: a clock that is set back brings it back
    holds: dict = field(default_factory=dict)
    building: set = field(default_factory=set)  # names of builders
    preparing: dict = field(
        default_factory=dict
    )  # builder: request; chosen, but the database has not answered
    since: float = 0.0
    ready: bool = False

    def whatHolds(self, now):
        """Everything that holds the worker at this moment, as text; empty if it is ready."""
        reasons = [source for source, until in self.holds.items() if until is None or until > now]
        calendars = [self.windows] if self.before is None else [self.windows, self.before]
        if self.suspended <= now and all(
            any(window.covers(now) for window in windows) for windows in calendars
        ):
            reasons.append("break")
        reasons.extend(name for name in ("paused", "graceful") if getattr(self, name))
        if self.kind != "latent" and not self.connected:
            reasons.append("offline")
        return ", ".join(reasons)

    def hasRoomFor(self, builder):
        used = self.building | set(self.preparing)
        return builder not in used and (self.max_builds is None or len(used) < self.max_builds)
