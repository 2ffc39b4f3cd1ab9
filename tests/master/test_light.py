"""What a master does not use it has not got in memory."""

import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

# what is needed when somebody asks why a request waits, has a rule, or a calendar; when somebody orders something, or a worker
# has an owner's side; and what a master never needs
NEVER = (
    "presence.orders.abilities",
    "presence.orders.acknowledgement",
    "presence.orders.ancestry",
    "presence.orders.builders",
    "presence.orders.placed",
    "presence.orders.reading",
    "presence.orders.reconfig",
    "presence.orders.shutdown",
    "presence.orders.workers",
    "presence.master.api.endpoints",
    "presence.master.api.fields",
    "presence.master.api.presences",
    "presence.master.api.reconfig",
    "presence.master.api.reconfigreport",
    "presence.master.api.requestpresences",
    "presence.master.api.runningbuilds",
    "presence.master.api.shapes",
    "presence.master.api.shutdown",
    "presence.master.trail.resource",
    "presence.master.owner.link",
    "presence.master.owner.transports",
    "presence.master.owner.word",
    "presence.master.quiesce.inside",
    "presence.wire.messages",
    "presence.wire.reading",
    "presence.master.builds.everywhere",
    "presence.master.builds.requests",
    "presence.master.farm",
    "presence.master.why.reader",
    "presence.master.why.workers",
    "presence.master.conditions",
    "presence.master.happenings",
    "presence.master.trail.terms",
    "presence.master.trail.trail",
    "presence.master.metrics",
    "presence.master.reporters",
    "presence.master.absence",
    "presence.words.pages",
    "prometheus_client",
    "dateutil.rrule",
    "statistics",
    "fractions",
    "icalendar",
    "recurring_ical_events",
    "presence.commands",
    "presence.demo",
    "presence.testing",
    "presence.worker",
    "buildbot_worker",
    "hypothesis",
)

# what is needed for breaks, where there are none; and what happens only when somebody orders it, or when something is in the way
NEVER_PLAIN = (
    *NEVER,
    "presence.breaks.written",
    "presence.breaks.coverage",
    "presence.breaks.forecast",
    "presence.breaks.warnings",
    "presence.breaks.reading",
    "presence.breaks.ics",
    "presence.calendar.durations",
    "presence.calendar.zones",
    "presence.calendar.weekdays",
    "presence.model.calendarfiles",
    "presence.master.access.many",
    "presence.master.access.operator",
    "presence.master.access.who",
    "presence.master.breaks",
    "presence.master.builds.estimates",
    "presence.master.builds.requeue",
    "presence.master.holding.drains",
    "presence.master.holding.givenup",
    "presence.master.quiesce.buildbotsown",
    "presence.master.quiesce.ending",
    "presence.master.quiesce.newconfig",
    "presence.master.quiesce.plan",
    "presence.master.quiesce.reconfiguration",
    "presence.master.quiesce.reconfigurations",
    "presence.master.quiesce.shutdown",
    "presence.master.quiesce.standstill",
    "presence.master.why.blocks",
    "presence.master.why.explain",
    "presence.master.why.facts",
    "presence.master.why.lockowners",
    "presence.orders.floor",
    "presence.wire.tokens",
)

# of several masters: whatever one of them may order, or ask another one for; and, where no queue is between them, what it tells them
NEVER_SEVERAL = (
    *(each for each in NEVER_PLAIN if each != "presence.master.farm"),
    "presence.master.farm.breaksbetween",
    "presence.master.farm.member",
    "presence.master.farm.queue",
    "presence.master.farm.seen.exchange",
    "presence.master.farm.seen.pulse",
    "presence.master.farm.seen.snapshots",
)

# A master with a worker, a builder and a web server starts, and says what has been imported.
PROGRAM = """
import sys
from buildbot.config.master import MasterConfig
from buildbot.master import BuildMaster
from buildbot.plugins import schedulers, util, worker
from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred

before = set(sys.modules)
from presence import enable

basedir, keywords, more = sys.argv[1], *map(eval, sys.argv[2:])
open(basedir + "/buildbot.tac", "w").close()
config = {
    "workers": [worker.Worker("mac-mini", "secret")],
    "builders": [util.BuilderConfig("runtests", "mac-mini", factory=util.BuildFactory())],
    "schedulers": [schedulers.ForceScheduler("force", ["runtests"])],
    "protocols": {"null": {}},
    "www": {"port": "tcp:0:interface=127.0.0.1"},
    "db_url": "sqlite://",
    "buildbotNetUsageData": None,
    **more,
}
enable(config, **keywords)


class Loader:
    def loadConfig(self):
        return MasterConfig.loadFromDict(config, "master.cfg")


async def run():
    master = BuildMaster(basedir, reactor=reactor, config_loader=Loader())
    try:
        await master.startService()
        assert master.running, "it has not started"
        (declared,) = master.workers.workers.values()
        assert declared.presence is not None, "the worker has no presence"
        print(*sorted(set(sys.modules) - before), flush=True)
        await master.stopService()
    finally:
        if reactor.running:
            reactor.stop()


reactor.callWhenRunning(lambda: ensureDeferred(run()))
reactor.run()
"""


class LightTests(SynchronousTestCase):
    """A master that has started has imported what it has been asked for, and no more."""

    def test_enable(self):
        """A farm whose workers have a presence, and breaks, imports none of that."""
        self.check({"onBreakDuring": {"*": ("07:00", "19:00", "MO-FR")}}, NEVER)

    def test_plain(self):
        """One line in master.cfg and nothing else: what is about breaks is not there either, nor what nobody has ordered."""
        self.check({}, NEVER_PLAIN)

    def test_several(self):
        """One of several masters has not got the API in memory either, before somebody here or at another one asks for something."""
        self.check({}, NEVER_SEVERAL, multiMaster=True)

    def check(self, keywords, never, **more):
        directory = self.mktemp()
        Path(directory).mkdir()
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, directory, repr(keywords), repr(more)],
            stdout=subprocess.PIPE,
            check=True,
            encoding="utf-8",
        )
        imported = ended.stdout.split()
        self.assertIn("presence.master.assembly", imported)
        found = [each for each in imported if any(f"{each}.".startswith(f"{name}.") for name in never)]
        self.assertEqual(found, [])
