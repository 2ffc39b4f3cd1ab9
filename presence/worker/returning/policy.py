"""`OnReturn`: what becomes of what runs when a sensor says that the owner needs the machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypedDict

from twisted.logger import Logger

from presence.calendar.durations import durationText
from presence.text import oneOf
from presence.words.returning import RETURNING
from presence.worker.returning.commands import Eased
from presence.worker.sensors.written import seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from twisted.internet.interfaces import IDelayedCall

_log = Logger()

#: What there is to choose from, and after how long, by default, what runs is sent back, in seconds.
POLICIES: dict[str, float | None] = {"finish": None, "nice": None, "suspend": 3600.0, "sendback": 300.0}

#: How often is looked for commands that have begun meanwhile, in seconds.
TICK = 1.0

# No more than that counts of what passes between two looks: the machine may have slept.
_LONGEST = 60.0


def checkPolicy(onReturn: object, returnLimit: object) -> tuple[str, float | None]:
    """The policy and its limit in seconds. Raises `ValueError`."""
    try:
        policy = oneOf(onReturn, POLICIES)
    except ValueError as problem:
        raise ValueError(f"onReturn: {problem}") from None
    if policy in {"nice", "suspend"} and not hasattr(os, "killpg"):
        raise ValueError(
            f"onReturn={policy!r}: this system has no process groups: only finish and sendback work here"
        )
    if returnLimit is None:
        return policy, POLICIES[policy]
    if POLICIES[policy] is None:
        raise ValueError(f"returnLimit: with onReturn={policy!r} nothing is sent back: leave it out")
    return policy, seconds("returnLimit", returnLimit)


class ReturnStatus(TypedDict):
    """What becomes of what runs while its owner needs the machine: one of `presence.words.returning`; and when it is sent back."""

    does: str
    until: float | None


class OnReturn:
    """Does with the `commands()` that run what `policy` says while `needed()` was told so.

    `canSendBack()` says whether the master knows how; `changed()` is called when `sendsBack` or the `status()` has changed.
    `limit` is in seconds: after so long with what runs suspended, or from the beginning on, it is sent back.
    """

    def __init__(  # noqa: PLR0917
        self,
        policy: str,
        limit: float | None,
        commands: Callable[[], Iterable[Any]],
        canSendBack: Callable[[], bool],
        changed: Callable[[], object],
        clock: Any,
    ) -> None:
        self._policy = policy
        self._limit = limit
        self._commands = commands
        self._can_send_back = canSendBack
        self._changed = changed
        self._clock = clock
        self._eased: list[Eased] = []
        self._timer: IDelayedCall | None = None
        self._last = 0.0
        self._passed = 0.0
        # one of `RETURNING` while the machine is needed
        self._does = ""
        self._was_killed = False

    @property
    def sendsBack(self) -> bool:
        """Whether the master is to have built elsewhere what runs here."""
        return self._does == "sent"

    def status(self) -> ReturnStatus | None:
        """What becomes of what runs, fit for JSON; None while nothing is done."""
        if not self._does or not self._eased:
            return None
        left = None if self._limit is None or self._does in {"sent", "cannot"} else self._limit - self._passed
        # from the last look on, by which `left` is: asked at any time between two looks it is the same instant
        until = None if left is None else self._last + max(0.0, left)
        return {"does": self._does, "until": until}

    def needed(self, needed: bool) -> None:
        """The owner needs the machine, or not."""
        if needed is bool(self._does):
            return
        if not needed:
            self._end()
        else:
            self._does = self._policy
            self._passed, self._last = 0.0, self._clock.seconds()
            self._was_killed = False
            self._look()

    def clockJumped(self) -> None:
        """The clock has been set: look now, for the next look may be hours away."""
        if self._timer is not None:
            self._timer.reset(0)

    def stop(self) -> None:
        """Leave nothing stopped behind, and no timer."""
        self._end()

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._does = ""
        for each in self._eased:
            each.letGo()
        self._eased.clear()

    def _tick(self) -> None:
        self._timer = None
        now = self._clock.seconds()
        passed = max(0.0, now - self._last)
        # the machine has slept, or its clock was set: what is sent back is so at another time
        jumped = now < self._last or passed > _LONGEST
        self._last = now
        before = self._does, bool(self._eased)
        for each in self._eased:
            each.passed(passed)
        if self._eased:
            self._passed += min(passed, _LONGEST)
        if self._limit is not None and self._passed >= self._limit and self._does == self._policy:
            self._send_back()
        self._look()
        if jumped or (self._does, bool(self._eased)) != before:
            self._changed()

    def _send_back(self) -> None:
        self._does = "sent" if self._can_send_back() else "cannot"
        _log.info(
            "presence: after {after} {does}",
            after=durationText(self._passed),
            does=RETURNING[self._does],
        )
        for each in self._eased:
            each.goOn()

    def _look(self) -> None:
        """Let the policy be in force for all that runs now."""
        running = list(self._commands())
        self._was_killed = self._was_killed or any(each.killed for each in self._eased)
        self._eased = [each for each in self._eased if any(each.command is one for one in running)]
        known = [each.command for each in self._eased]
        self._eased += [Eased(one) for one in running if not any(one is each for each in known)]
        # what was killed cleans up, with commands of its own; nothing is stopped any more
        suspends = self._does == "suspend" and not self._was_killed
        for each in self._eased:
            if suspends:
                each.stop(TICK)
            elif self._does in {"nice", "cannot"} or self._was_killed:
                each.putLast()
        self._timer = self._clock.callLater(TICK, self._tick)
