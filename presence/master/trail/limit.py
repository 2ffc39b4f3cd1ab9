"""What happens again and again is told now and then only: a worker that flaps, a script that is refused all the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from presence.master.happenings.happening import Happening

#: How long a window is, in seconds; and how much is told in one of them: of orders by one person, of those that were forbidden, and of all
#: else of one worker.
WINDOW = 600.0
ORDERS, FORBIDDEN, OTHERS = 200, 30, 5

# Of so many different ones it is counted. Of what comes then, in the same window, nothing is told.
_MOST = 20_000


class Limit:
    """Passes happenings on to `tell(happening, left_out)`: of each kind the first ones of a window, and at its end the last one, with how many
    were left out before it.
    """

    def __init__(self, clock: IReactorTime, tell: Callable[[Happening, int], object]) -> None:
        self._clock = clock
        self._tell = tell
        self._counts: dict[Hashable, int] = {}
        self._last: dict[Hashable, Happening] = {}
        self._timer: IDelayedCall | None = None

    def add(self, happening: Happening) -> None:
        """Tell it, now or at the end of the window, or leave it out."""
        key, most = _key(happening)
        if key not in self._counts and len(self._counts) >= _MOST:
            return
        count = self._counts[key] = self._counts.get(key, 0) + 1
        if self._timer is None:
            self._timer = self._clock.callLater(WINDOW, self._over)
        if count <= most:
            self._tell(happening, 0)
        else:
            self._last[key] = happening

    def clockJumped(self) -> None:
        """The clock has jumped: do not wait for the end of the window."""
        if self._timer is not None:
            self._timer.reset(0)

    def stop(self) -> None:
        """Tell what is left. No timer is left behind."""
        if self._timer is not None:
            self._timer.cancel()
            self._over()

    def _over(self) -> None:
        self._timer = None
        counts, self._counts = self._counts, {}
        last, self._last = self._last, {}
        for key, happening in last.items():
            self._tell(happening, counts[key] - _key(happening)[1] - 1)


def _key(happening: Happening) -> tuple[Hashable, int]:
    if happening.outcome == "forbidden":
        return "forbidden", FORBIDDEN
    if happening.kind == "order":
        return ("order", happening.by), ORDERS
    return (happening.what, happening.workers, happening.builders), OTHERS
