"""`Watches`: the sensors of one worker, and their holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from presence.words.holds import SENSOR
from presence.worker.sensors.looker import Looker
from presence.worker.sensors.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from presence.model.workerpresence import WorkerPresence
    from presence.worker.sensors.reading import Sensor, SensorStatus

#: Until all sensors have looked once the worker is held, for so many seconds at most: somebody may sit there.
FIRST_LOOK = 5.0

_FIRST_REASON = "looks whether somebody needs this machine"

# no sensor is called so
_FIRST_NAME = ""


class Watches:
    """Looks with all `sensors`, in threads of the `reactor`, and places for each that holds a hold ``sensor`` of its name on
    `presence`.

    `changed()` is called when there is something else to see of them.
    """

    def __init__(
        self,
        sensors: Iterable[Sensor],
        presence: WorkerPresence,
        clock: IReactorTime,
        reactor: Any,
        changed: Callable[[], object],
    ) -> None:
        self._presence = presence
        self._clock = clock
        self._changed = changed
        self._watches = [Watch(each, clock, Looker(reactor), self._has_changed) for each in sensors]
        self._silenced_until: float | None = None
        self._first_until: float | None = None
        self._timer: IDelayedCall | None = None
        self._stopped = False

    def start(self) -> None:
        """Begin to look."""
        self._first_until = self._clock.seconds() + FIRST_LOOK
        self.reconsider()
        for watch in self._watches:
            watch.start()

    def stop(self) -> None:
        """Look no more. The holds stay until the presence is stopped."""
        self._stopped = True
        self._end_timer()
        for watch in self._watches:
            watch.stop()

    def silence(self, until: float | None) -> None:
        """Hold nobody until then (seconds since the epoch): the owner has said work. None ends it."""
        self._silenced_until = until
        self.reconsider()

    def clockJumped(self) -> None:
        """The clock has been set."""
        for watch in self._watches:
            watch.clockJumped()
        self.reconsider()

    def reconsider(self) -> None:
        """Let the holds be what is wanted now."""
        if self._stopped:
            return
        now = self._clock.seconds()
        wanted = self._wanted(now)
        # what is to come first: while one follows on the other nobody is let in
        for name, (reason, since, until) in wanted.items():
            held = self._presence.heldBy("sensor", name)
            if held is None or (held.reason, held.since, held.until) != (reason, since, until):
                self._presence.hold("sensor", reason, SENSOR, until, since, name=name)
        for name in (_FIRST_NAME, *(watch.name for watch in self._watches)):
            if name not in wanted:
                self._presence.release("sensor", name)
        self._end_timer()
        if self._is_silenced(now) and self._silenced_until is not None:
            self._timer = self._clock.callLater(self._silenced_until - now, self._silence_over)

    def status(self) -> list[SensorStatus]:
        """What there is to see of each, fit for JSON."""
        return [watch.status() for watch in self._watches]

    def _wanted(self, now: float) -> dict[str, tuple[str, float, float | None]]:
        """{name: reason, since, until} of the holds that there have to be."""
        if self._is_silenced(now):
            return {}
        wanted: dict[str, tuple[str, float, float | None]] = {}
        for watch in self._watches:
            if watch.held is not None:
                wanted[watch.name] = (*watch.held, None)
        first = self._first_until
        if (
            first is not None
            and now < first <= now + FIRST_LOOK
            and any(each.reading is None for each in self._watches)
        ):
            wanted[_FIRST_NAME] = (_FIRST_REASON, first - FIRST_LOOK, first)
        else:
            self._first_until = None
        return wanted

    def _is_silenced(self, now: float) -> bool:
        return self._silenced_until is not None and now < self._silenced_until

    def _silence_over(self) -> None:
        self._timer = None
        self.reconsider()
        self._changed()

    def _has_changed(self) -> None:
        self.reconsider()
        self._changed()

    def _end_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
