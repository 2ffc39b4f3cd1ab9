"""`presence demo`: a real master and two real workers whose breaks last seconds, and what comes of it.

The demo knows from Buildbot what builds there were, and from the workers' own clocks when they began. It holds
that against the breaks as it planned them: what this package says of itself is shown, and proves nothing.
"""

from __future__ import annotations

import signal
import sys
from itertools import cycle
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.task import deferLater

from presence.demo.farm import DemoError, DemoFarm, missingParts
from presence.demo.ledger import CYCLE, WORKERS, Build, Plan, judge
from presence.demo.story import Page, Story
from presence.model.waiters import Waiters

if TYPE_CHECKING:
    from collections.abc import Callable

#: How many cycles there are, unless the demo goes on for ever.
CYCLES = 2

#: How long the farm may take for whatever it is asked to do, in seconds.
PATIENCE = 60.0

# How long the master has to read the breaks before their first cycle begins; more when that was too short.
_LEAD = 1.0

# For so long there are requests after the last break.
_AFTERWARDS = 1.0

# The seconds between one request and the next: about as many as the two workers can build.
_INTERVALS = (1.2, 2.6, 2.2)

# No more is requested while so many are not built: on a busy machine they would only pile up.
_MOST_OPEN = 8


class Interrupted(Exception):  # noqa: N818 (it is not an error)
    """Somebody has ended the demo before its end."""

    def __init__(self, signum: int) -> None:
        super().__init__("Ctrl-C" if signum == signal.SIGINT else signal.Signals(signum).name)
        self.status = 128 + signum


class TooSlow(DemoError):  # noqa: N818 (it is the name of what is wrong)
    """What should have happened has not, for a long time."""


class Demo:
    """One run of the demo. `run()` it once; `interrupt()` ends it in good order, `abort()` at once."""

    def __init__(self, reactor: Any, page: Page, *, forever: bool = False) -> None:
        self._reactor = reactor
        self._page = page
        self._forever = forever
        self._story = Story(page)
        self._plan = Plan(0.0, 0)
        self._configurations = 0
        self._requesting = False
        self._waiting: Waiters | None = None
        self._running: Deferred[int] | None = None
        self._aborted: Exception | None = None
        self._cleaning = False

    def run(self) -> Deferred[int]:
        """A Deferred of the exit status. It fails with what `abort()` was given, or with a `DemoError`."""
        self._running = Deferred.fromCoroutine(self._run())
        return self._running

    def interrupt(self, reason: Exception) -> None:
        """Request nothing more, and end when all requests are built. The second time it is `abort()`."""
        if self._requesting:
            self._requesting = False
            self._page.write(f"\n{reason}: no more requests. Once more, and it ends at once.\n")
        else:
            self.abort(reason)

    def abort(self, reason: Exception) -> None:
        """End at once, and leave nothing behind all the same."""
        if self._aborted is None and not self._cleaning and self._running is not None:
            self._aborted = reason
            self._running.cancel()

    async def _run(self) -> int:
        with TemporaryDirectory(prefix="presence-demo-", ignore_cleanup_errors=True) as directory:
            self._page.write(f"Starting a Buildbot master and two workers in {directory} …")
            farm = DemoFarm(self._reactor, Path(directory), self._told, self.abort)
            try:
                await self._start(farm)
                await self._introduce(farm)
                await self._request(farm)
                return await self._conclude(farm)
            except CancelledError:
                raise self._aborted or DemoError("cancelled") from None
            except TooSlow as error:
                raise DemoError(f"{error}\n{farm.tails()}") from None
            finally:
                self._cleaning = True
                await farm.end()

    async def _start(self, farm: DemoFarm) -> None:
        await farm.create()
        number = self._write_configuration(farm)
        farm.startMaster()
        await self._until("starting the master", lambda: self._story.configured == number)
        farm.startWorkers()
        await self._until("connecting the workers", lambda: all(map(self._story.isReady, WORKERS)))

    async def _introduce(self, farm: DemoFarm) -> None:
        lead = _LEAD
        while self._plan.first < self._reactor.seconds():
            # a busy machine may need longer to read the plan than until it begins: then there is another
            self._plan = Plan(ceil(self._reactor.seconds() + lead), CYCLES)
            await self._configure(farm)
            lead *= 2
        self._page.introduce(self._plan.breaks, farm.url)
        self._page.write(
            "Ctrl-C ends it.\n" if self._forever else f"It ends by itself after {CYCLES} cycles.\n"
        )

    async def _request(self, farm: DemoFarm) -> None:
        intervals = cycle(_INTERVALS)
        self._requesting = True
        while self._requesting and self._reactor.seconds() < self._plan.end + _AFTERWARDS:
            if len(self._story.open) < _MOST_OPEN:
                at = self._reactor.seconds()
                self._story.request(await farm.force(), at)
            await deferLater(self._reactor, next(intervals))
            if self._forever and self._plan.end - self._reactor.seconds() < CYCLE:
                self._plan = self._plan.prolonged()
                self._write_configuration(farm)
        self._requesting = False

    async def _conclude(self, farm: DemoFarm) -> int:
        try:
            await self._until("building what was requested", lambda: not self._story.open)
        except TooSlow as error:
            self._page.write(f"\n{error}")  # the verdict will say what was lost
        workers = {each["workerid"]: each["name"] for each in (await farm.get("workers"))["workers"]}
        builds = [
            Build(
                build=each["buildid"],
                request=each["buildrequestid"],
                worker=workers[each["workerid"]],
                results=each["results"],
                began=float(each["properties"]["began"][0]) if "began" in each["properties"] else None,
                announced=self._story.announced.get(each["buildid"]),
            )
            for each in (await farm.get("builds?property=began"))["builds"]
        ]
        verdict = judge(self._plan.breaks, self._story.requested, builds)
        now = self._reactor.seconds()
        begun = sum(each.start <= now for each in self._plan.breaks)
        self._story.conclude(begun, verdict.builds, verdict.wrong)
        return 1 if verdict.wrong else 0

    async def _configure(self, farm: DemoFarm) -> None:
        number = self._write_configuration(farm)
        await self._until("reading master.cfg", lambda: self._story.configured == number)

    def _write_configuration(self, farm: DemoFarm) -> int:
        self._configurations += 1
        now = self._reactor.seconds()
        farm.configure((each for each in self._plan.breaks if each.stop > now), self._configurations)
        return self._configurations

    async def _until(self, what: str, condition: Callable[[], bool]) -> None:
        self._waiting = Waiters(lambda: condition() or None, what)
        try:
            await self._waiting.wait().addTimeout(PATIENCE, self._reactor)
        except DeferredTimeout:
            raise TooSlow(f"{what} took more than {PATIENCE:g} s") from None

    def _told(self, event: dict[str, Any]) -> None:
        if self._cleaning:
            return
        try:
            self._story.told(event)
        except Exception as error:  # noqa: BLE001 (nobody else would hear of it)
            self.abort(error)
        if self._waiting is not None:
            self._waiting.fire()


def run(*, forever: bool = False) -> int:
    """Run the demo in this process; the exit status."""
    missing = missingParts()
    if missing:
        sys.stderr.write(
            f"presence demo needs what is not installed here: {', '.join(missing)}.\n"
            "Install the package with all of it: pip install 'buildbot-presence[test]'\n"
        )
        return 1
    from twisted.internet import reactor as installed  # noqa: PLC0415 (importing it installs one)

    reactor: Any = installed
    demo = Demo(reactor, Page(sys.stdout), forever=forever)
    outcome: list[int | Exception] = []

    def end_on(signum: signal.Signals, end: Callable[[Exception], None]) -> None:
        # in the place of Twisted's own, which would stop the reactor at once
        signal.signal(signum, lambda *_: reactor.callFromThread(end, Interrupted(signum)))

    def begin() -> None:
        end_on(signal.SIGINT, demo.interrupt)
        end_on(signal.SIGTERM, demo.abort)
        end_on(signal.SIGHUP, demo.abort)
        demo.run().addCallbacks(outcome.append, lambda failure: outcome.append(failure.value)).addBoth(
            lambda _: reactor.stop()
        )

    reactor.callWhenRunning(begin)
    reactor.run()
    return _status(outcome[0])


def _status(outcome: int | Exception) -> int:
    if isinstance(outcome, int):
        return outcome
    if isinstance(outcome, Interrupted):
        sys.stderr.write(f"\n{outcome}: ended at once. No process and no file is left.\n")
        return outcome.status
    if isinstance(outcome, DemoError):
        sys.stderr.write(f"\nThe demo cannot go on: {outcome}\n")
        return 1
    raise outcome
