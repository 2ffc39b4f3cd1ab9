"""How long a sensor has to be quiet before it lets go: as its owner has written it, and longer where that is too short for him."""

from __future__ import annotations

#: Who is back within so many seconds after a sensor has let go was let go too early; and no quiet time gets longer than that.
HASTE = 3600.0

#: From then on it is longer than the pause that he has made, by half, and at least so many seconds.
LONGER = 1.5
LEAST = 900.0

#: It is so until for so many seconds he has made no pause that was longer than what is written: a weekend does not count.
MEMORY = 3 * 24 * 3600.0


class QuietTime:
    """The quiet time of one sensor, of which `written` seconds are written.

    It never delays that a sensor holds, and makes what ends exactly (a quiet time of 0) no longer. Instants are in seconds.
    """

    def __init__(self, written: float) -> None:
        #: how long it has to be quiet now
        self.seconds = written
        self._written = written
        self._let_go: float | None = None
        # when it was seen last that what is written is too short
        self._too_short: float | None = None

    def holds(self, now: float, before: float | None) -> None:
        """The sensor begins to hold `now`; somebody was seen for the last time at `before`."""
        if (
            self._written
            and before is not None
            and self._let_go is not None
            and 0 <= now - self._let_go < HASTE
        ):
            longer = max(LEAST, min(LONGER * (now - before), HASTE))
            self.seconds, self._too_short = max(self._written, longer), now
        elif self._too_short is not None and not 0 <= now - self._too_short < MEMORY:
            self.seconds, self._too_short = self._written, None

    def goesOn(self, now: float, before: float) -> None:
        """While it holds somebody is seen again, for the first time since `before`."""
        if self._too_short is not None and now - before > self._written:
            self._too_short = now

    def letGo(self, now: float) -> None:
        """The sensor holds no longer."""
        self._let_go = now
