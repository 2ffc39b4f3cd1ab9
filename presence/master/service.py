"""`PresenceService` for `c["services"]`: the settings of a master as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from buildbot import config
from buildbot.util.service import BuildbotService
from twisted.internet.defer import inlineCallbacks

from presence.calendar.durations import duration
from presence.master.assembly import Assembly
from presence.orders.reconfig import ON_DEADLINE, ReconfigOrder

if TYPE_CHECKING:
    from collections.abc import Generator

    from twisted.internet.defer import Deferred


class PresenceService(BuildbotService):
    """Makes the presences, their API and `presence reconfig` available also where all workers are Buildbot's own.

    With `reconfigWhenIdle` a SIGHUP, `buildbot reconfig` and `master.reconfig()` in the manhole wait until nothing
    runs that the new configuration would hurt. `deadline` (``"1h"``, or seconds) is how long they wait at most, and
    `onDeadline` what happens then: ``"abort"``, ``"interrupt"`` or ``"reconfig"``.
    """

    name = "PresenceService"

    def checkConfig(
        self, reconfigWhenIdle: bool = False, deadline: Any = None, onDeadline: str = "abort"
    ) -> None:
        """Each mistake is a `config.error`."""
        if not isinstance(reconfigWhenIdle, bool):
            config.error(
                f"PresenceService: reconfigWhenIdle={reconfigWhenIdle!r} is not right: give True or False"
            )
        try:
            _seconds(deadline)
        except ValueError as problem:
            config.error(f"PresenceService: deadline={deadline!r}: {problem}")
        if onDeadline not in ON_DEADLINE:
            config.error(
                f"PresenceService: onDeadline={onDeadline!r} is not right: give one of {', '.join(ON_DEADLINE)}"
            )

    @inlineCallbacks
    def reconfigService(
        self, reconfigWhenIdle: bool = False, deadline: Any = None, onDeadline: str = "abort"
    ) -> Generator[Deferred[Any], Any, None]:
        """Take over a new configuration."""
        yield super().reconfigService()
        assembly = yield Assembly.getService(self.master)
        seconds = _seconds(deadline)

        def order() -> ReconfigOrder:
            end = None if seconds is None else self.master.reactor.seconds() + seconds
            return ReconfigOrder(deadline=end, onDeadline=onDeadline)

        if reconfigWhenIdle:
            assembly.reconfigurations.takeOver(order)
        else:
            assembly.reconfigurations.giveBack()

    @inlineCallbacks
    def stopService(self) -> Generator[Deferred[Any], Any, None]:
        """Reconfigurations are Buildbot's own again."""
        assembly = yield Assembly.getService(self.master)
        assembly.reconfigurations.giveBack()
        yield super().stopService()


def _seconds(deadline: Any) -> float | None:
    if deadline is None:
        return None
    if isinstance(deadline, str):
        return duration(deadline)
    if isinstance(deadline, bool) or not isinstance(deadline, (int, float)) or not deadline > 0:
        raise ValueError('give a duration such as "1h", or seconds')
    return float(deadline)
