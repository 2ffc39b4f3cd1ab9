"""What a site's functions answer to Buildbot's distributor, which waits for them, and how long it does.

`nextBuild`, `nextWorker`, `canStartBuild` and `prioritizeBuilders` may answer hours later, or never. Until then Buildbot
starts no build on the whole master, and lets nobody else have its `activity_lock`. While it waits for such an answer
nothing is claimed, so that it can be done without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from presence.master.starting.decisions import Decisions
from presence.master.starting.early import EarlyQuestions

if TYPE_CHECKING:
    from twisted.python.failure import Failure

_log = Logger()


class SiteAnswers:
    """The answers that the distributor of `master` waits for. There is one at most of each kind at a time."""

    def __init__(self, master: Any) -> None:
        self._master = master
        self._clock = master.reactor
        self._distributor = master.botmaster.brd
        # by what the distributor waits for instead: what it is, since when (seconds since the epoch), and what is done without
        self._pending: dict[Deferred[Any], tuple[str, float, Any]] = {}
        self._stopping = False
        # what was asked before `start()`
        self._early: EarlyQuestions | None = None
        #: how many have been given up so far
        self.givenUp = 0
        #: what they have decided lately
        self.decisions = Decisions()

    def start(self) -> None:
        """Let a distributor that is to stop wait for no answer."""
        self._stop_distributor = self._distributor.stopService
        self._distributor.stopService = self._stop
        self._early = EarlyQuestions(self._master)

    def stop(self) -> None:
        """Wait for none any more, and leave the distributor alone."""
        self.giveUp()
        vars(self._distributor).pop("stopService", None)

    def awaiting(self, what: str, answer: Any, otherwise: Any) -> Any:
        """`answer`, which `what` (a text for people) has given, or a Deferred of it; when that is given up it fires with
        `otherwise`.
        """
        if not isinstance(answer, Deferred) or (answer.called and not answer.paused):
            return answer
        waits: Deferred[Any] = Deferred()
        self._pending[waits] = (what, self._clock.seconds(), otherwise)
        answer.addCallbacks(self._answered, self._failed, callbackArgs=(waits,), errbackArgs=(waits,))
        if self._stopping:
            self.giveUp()
        return waits

    def overdue(self, after: float) -> list[tuple[str, float]]:
        """What has been waited for so many seconds, and since when (seconds since the epoch)."""
        now = self._clock.seconds()
        return [(what, since) for what, since, _ in self._pending.values() if now - since >= after]

    def giveUp(self, after: float = 0.0) -> bool:
        """Do without those answers that have been waited for so many seconds. Whether there were any.

        The distributor goes on in this very call: to the next builder, or it lets somebody else have its lock. The builder
        is looked at again in the next wake-up.
        """
        now = self._clock.seconds()
        # (a clock that was set back must not make it last)
        due = [waits for waits, (_, since, _) in self._pending.items() if abs(now - since) >= after]
        for waits in due:
            what, _, otherwise = self._pending.pop(waits)
            self.givenUp += 1
            _log.warn("{what} does not answer: nobody waits for it any longer", what=what)
            waits.callback(otherwise)
        early = self._early is not None and self._early.giveUp(after)
        return bool(due) or early

    def _answered(self, answer: Any, waits: Deferred[Any]) -> None:
        if self._pending.pop(waits, None) is not None:
            waits.callback(answer)

    def _failed(self, failure: Failure, waits: Deferred[Any]) -> None:
        if self._pending.pop(waits, None) is not None:
            waits.errback(failure)

    def _stop(self) -> Deferred[None]:
        self._stopping = True
        # first it waits for the lock, and then that is let go: nothing else begins
        done: Deferred[None] = self._stop_distributor()
        self.giveUp()

        def stopped(result: Any) -> Any:
            self._stopping = False
            return result

        return done.addBoth(stopped)


def patientChooser(base: Any, answers: SiteAnswers) -> Any:
    """The class of choosers (which pair requests with workers) that `base` is, and that waits by `answers`, and says to its
    `decisions` what the functions of the site have decided.
    """

    class PatientChooser(base):
        def __init__(self, bldr: Any, master: Any) -> None:
            super().__init__(bldr, master)
            self._look = answers.decisions.begin(bldr.name)
            follow = {"nextBuild": self._look.followNextBuild}
            # (Buildbot has one of its own, which takes any)
            if bldr.config.nextWorker or master.config.select_next_worker:
                follow["nextWorker"] = self._look.followNextWorker
            # a chooser of the site's own may do without them
            for name in ("nextBuild", "nextWorker"):
                function = getattr(self, name, None)
                if function is not None:
                    waiting = self._awaiting(name, function)
                    setattr(self, name, follow[name](waiting) if name in follow else waiting)

        def _awaiting(self, name: str, function: Any) -> Any:
            return lambda *args: answers.awaiting(self._what(name), function(*args), None)

        def _what(self, name: str) -> str:
            return f"{name} of builder {self.bldr.name}"

        def canStartBuild(self, wfb: Any, request: Any) -> Any:
            can_start = self._look.followCanStart(super().canStartBuild, wfb, request)
            return answers.awaiting(self._what("canStartBuild"), can_start, False)

    return PatientChooser
