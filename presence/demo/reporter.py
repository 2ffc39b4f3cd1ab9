"""Tells `presence demo` what happens in its master: one line of JSON for each event, on standard output.

What it tells of builds comes from Buildbot, not from this package: the verdict of the demo rests on it.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from buildbot.process.buildstep import BuildStep
from buildbot.process.results import SUCCESS
from buildbot.util.service import BuildbotService
from twisted.internet.defer import inlineCallbacks

from presence.master.roster import Roster

if TYPE_CHECKING:
    from collections.abc import Generator

    from twisted.internet.defer import Deferred

    from presence.model.workerpresence import WorkerPresence


def tell(what: str, **details: Any) -> None:
    """Write one event to whoever started this process."""
    # Not print(): twistd has put its log in the place of sys.stdout.
    with suppress(BrokenPipeError):  # the demo was killed, and the master is about to follow
        os.write(1, json.dumps({"what": what, **details}).encode() + b"\n")


class Reporter(BuildbotService):
    """Reports every flip of a worker, every build, and every configuration that has come into force.

    `Reporter(plan=7)`: `plan` is the number of the configuration, to be told when it is in force.
    """

    name = "presence-demo"

    @inlineCallbacks
    def startService(self) -> Generator[Deferred[Any], Any, None]:
        """Begin to listen."""
        roster = yield Roster.getService(self.master)
        for worker in self.master.config.workers:
            roster.worker(worker.workername).observe(self._presence_changed)
        for event, report in (("new", self._build_announced), ("finished", self._build_finished)):
            yield self.master.mq.startConsuming(report, ("builds", None, event))
        yield super().startService()

    def reconfigService(self, plan: int) -> None:
        """A new configuration is being read. The lock is free when all of it is in force."""
        self.master.initLock.run(tell, "configured", plan=plan)

    def _presence_changed(self, presence: WorkerPresence) -> None:
        holds = {hold.source: [hold.reason, hold.until] for hold in presence.holds}
        tell(
            "presence",
            at=self.master.reactor.seconds(),
            worker=presence.name,
            holds=holds,
        )

    def _build_announced(self, _key: tuple[str, ...], build: dict[str, Any]) -> None:
        tell(
            "announced",
            at=self.master.reactor.seconds(),
            build=build["buildid"],
            request=build["buildrequestid"],
        )

    def _build_finished(self, _key: tuple[str, ...], build: dict[str, Any]) -> None:
        tell(
            "finished",
            at=self.master.reactor.seconds(),
            build=build["buildid"],
            request=build["buildrequestid"],
            results=build["results"],
        )


class Began(BuildStep):
    """Reports that the worker runs the build, and since when: by the worker's own clock, in `began`."""

    name = "began"

    def run(self) -> int:
        """Report it, and be done."""
        tell(
            "began",
            at=float(self.getProperty("began")),
            build=self.build.buildid,
            request=self.build.requests[0].id,
            worker=self.build.workername,
        )
        return SUCCESS
