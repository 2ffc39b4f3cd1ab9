"""What a site measures about the worker: conditions that are asked, as long as which it accepts builds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from presence.master.slave.part import SlavePart

if TYPE_CHECKING:
    from presence.master.conditions.asked import AskedConditions
    from presence.master.conditions.written import Condition


class Conditions(SlavePart):
    """Follows the conditions of the configuration (`availableWhile=`)."""

    conditions: tuple[Condition, ...] = ()

    # None for a worker that has never had any
    _asked: AskedConditions | None = None

    def _begin_conditions(self) -> None:
        """Ask them from now on; the worker is held until all have said yes."""
        self._ask(self.conditions)

    def _follow_conditions(self, conditions: tuple[Condition, ...]) -> None:
        """The configuration has these."""
        self.conditions = conditions
        if self.presence is not None:
            self._ask(conditions)

    def _ask(self, conditions: tuple[Condition, ...]) -> None:
        if self._asked is None:
            if not conditions or self.presence is None:
                return
            # a farm that measures nothing has not got it in memory
            from presence.master.conditions.asked import AskedConditions, threadsOf  # noqa: PLC0415

            self._asked = AskedConditions(self.presence, self.master.reactor, threadsOf(self.master).run)
        self._asked.follow(conditions)

    def clockJumped(self, seconds: float) -> None:
        """See `SlavePart`."""
        super().clockJumped(seconds)
        if self._asked is not None:
            self._asked.clockJumped()

    def _end_conditions(self) -> None:
        """Leave no question and no timer behind."""
        if self._asked is not None:
            self._asked.stop()
            self._asked = None
