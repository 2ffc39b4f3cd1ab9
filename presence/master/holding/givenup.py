"""Drains that end at their deadline though something still runs: the worker is released, and that is tried until it is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.logger import Logger

from presence.model.retries import Retries

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.python.failure import Failure

    from presence.master.enrolled import EnrolledWorker
    from presence.master.holding.storedorders import StoredOrders
    from presence.master.roster import Roster

_log = Logger()


class GivenUp:
    """Releases the workers of such drains. `told` is called with the name of one that is released, and who had drained it."""

    def __init__(
        self, roster: Roster, orders: StoredOrders, told: Callable[[str, str | None], object]
    ) -> None:
        self._roster = roster
        self._orders = orders
        self._told = told
        self._clock = roster.master.reactor
        self._retries = Retries(self._clock, self._again)

    def stop(self) -> None:
        """Try nothing again. No timer is left."""
        self._retries.stop()

    def clockJumped(self) -> None:
        """The clock has been set: what is to be tried again is tried now."""
        self._retries.clockJumped()

    def giveUp(self, worker: EnrolledWorker) -> None:
        """The deadline of the drain of `worker` has come, which ends with it."""
        from presence.orders.workers import ReleaseOrder  # noqa: PLC0415 (nothing may ever be ordered)

        name, hold = worker.workername, worker.adminRecord.hold
        by = None if hold is None else hold.by

        def failed(failure: Failure) -> None:
            _log.warn(
                "{name} cannot be released at the deadline of its drain ({problem}); that is tried again in {delay} s",
                name=name,
                problem=failure.getErrorMessage(),
                delay=self._retries.failed(name),
            )

        def released(_: object) -> None:
            self._retries.succeeded(name)
            self._told(name, by)

        self._orders.follow((name,), ReleaseOrder(), by).addCallbacks(released, failed)

    def _again(self, name: Any) -> None:
        worker = self._roster.enrolled(name)
        drain = None if worker is None else worker.adminRecord.drain
        # somebody may have ordered something else meanwhile
        if worker is None or drain is None or drain.deadline is None or drain.onDeadline != "release":
            self._retries.succeeded(name)
        elif drain.deadline <= self._clock.seconds():
            self.giveUp(worker)
