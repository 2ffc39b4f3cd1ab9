"""`Watch`: what one sensor has said, and whether it holds the worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from presence.text import MAX_REASON, cut
from presence.worker.looking.cannottell import CannotTellError
from presence.worker.sensors.quiettime import QuietTime
from presence.worker.sensors.reading import Reading, checkReading, statusOf

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall, IReactorTime
    from twisted.python.failure import Failure

    from presence.worker.sensors.looker import Looker
    from presence.worker.sensors.reading import Sensor, SensorStatus

_log = Logger()

#: How long a look is waited for, in seconds.
PATIENCE = 30.0


class Watch:
    """Looks with one `sensor` every so often, for as long as it is started.

    It holds at once when the sensor says so, and lets go when that has not been so for the sensor's quiet time (a `QuietTime`). What the
    sensor cannot tell begins no hold, and ends one after the quiet time. `changed()` is called when what it has said, or
    whether it holds, has changed.
    """

    def __init__(
        self, sensor: Sensor, clock: IReactorTime, looker: Looker, changed: Callable[[], object]
    ) -> None:
        self.name = sensor.name
        #: what was said last, if anything was
        self.reading: Reading | None = None
        #: why it holds, and since when; None while it does not. It does not change while it holds.
        self.held: tuple[str, float] | None = None
        self._sensor = sensor
        self._clock = clock
        self._looker = looker
        self._changed = changed
        self._read_at: float | None = None
        # when it was so last
        self._last: float | None = None
        self._quiet = QuietTime(sensor.quiet)
        self._under_way: Deferred[Any] | None = None
        self._timer: IDelayedCall | None = None
        self._stopped = False

    def start(self) -> None:
        """Look, and go on looking."""
        self._look()

    def stop(self) -> None:
        """Look no more. No timer is left."""
        self._stopped = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
        if self._under_way is not None:
            self._under_way.cancel()
        self._looker.stop()

    def clockJumped(self) -> None:
        """The clock has been set: look now, for the next look may be hours away."""
        if self._under_way is None and self._timer is not None:
            self._timer.reset(0)
        elif self._timer is not None:
            # a look that hangs would be waited for until a time that is far away now
            self._timer.reset(PATIENCE)

    @property
    def quietUntil(self) -> float | None:
        """When it lets go if nothing is seen from now on, in seconds since the epoch; None when it does not hold."""
        if self.held is None or self._last is None:
            return None
        return self._last + self._quiet.seconds

    def status(self) -> SensorStatus:
        """What there is to see of it, fit for JSON."""
        reading = self.reading or Reading(None, "has not looked yet")
        return statusOf(
            self.name, reading, self._read_at, holds=self.held is not None, quietUntil=self.quietUntil
        )

    def _look(self) -> None:
        self._timer = None
        looked = self._looker.look(self._sensor.read)
        # before it fires, which may be at once
        self._under_way = looked
        self._timer = self._clock.callLater(PATIENCE, looked.cancel)
        looked.addCallback(lambda value: checkReading(value, self._clock.seconds()))
        looked.addErrback(_unknown).addCallback(self._has_looked)
        looked.addErrback(lambda failure: _log.failure("after a look of {name}", failure, name=self.name))

    def _has_looked(self, reading: Reading) -> None:
        self._under_way = None
        if self._stopped:
            return
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        before = self.reading, self.held
        now = self._clock.seconds()
        # first of all: whatever goes wrong with this reading, there is a next one
        self._timer = self._clock.callLater(self._sensor.every, self._look)
        if reading.away is None and (self.reading is None or self.reading.away is not None):
            _log.info("presence: the sensor {name} cannot tell: {text}", name=self.name, text=reading.text)
        self.reading, self._read_at = reading, now
        self._consider(reading, now)
        said = before[0] and (before[0].away, before[0].text)
        if (said, before[1]) != ((reading.away, reading.text), self.held):
            self._changed()

    def _consider(self, reading: Reading, now: float) -> None:
        seen = now if reading.away and reading.last is None else reading.last
        before = self._last
        # what is in the future was before the clock was set back
        known = [min(each, now) for each in (before, seen) if each is not None]
        self._last = max(known, default=None)
        if self.held is not None:
            if before is not None and self._last is not None:
                self._quiet.goesOn(self._last, before)
            if not reading.away and (self._last is None or now >= self._last + self._quiet.seconds):
                self.held = None
                self._quiet.letGo(now)
        elif reading.away or (reading.last is not None and now < reading.last + self._sensor.quiet):
            self._quiet.holds(now, before)
            self.held = self._reason(reading), now

    def _reason(self, reading: Reading) -> str:
        """Of a sensor that knows only that it was so: what it says when it is."""
        text = reading.text if reading.away else getattr(self._sensor, "reason", None)
        return text if isinstance(text, str) and text else self.name


def _unknown(failure: Failure) -> Reading:
    problem = failure.value
    if isinstance(problem, CancelledError):
        return Reading(None, f"it has not answered within {PATIENCE:.0f} s")
    text = (
        str(problem)
        if isinstance(problem, CannotTellError)
        else f"it has failed: {failure.getErrorMessage()[:MAX_REASON]}"
    )
    return Reading(None, cut(text, MAX_REASON) or "")
