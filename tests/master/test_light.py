"""What a master does not use it has not got in memory."""

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

# what is needed when somebody asks why a request waits, has a rule, or a calendar; when somebody orders something, or a worker
# has an owner's side; and what a master never needs
NEVER = (
    "presence.orders.abilities",
    "presence.orders.acknowledgement",
    "presence.orders.ancestry",
    "presence.orders.builders",
    "presence.orders.reading",
    "presence.orders.reconfig",
    "presence.orders.shutdown",
    "presence.orders.workers",
    "presence.master.api.shapes",
    "presence.master.owner.link",
    "presence.master.owner.transports",
    "presence.master.owner.word",
    "presence.master.quiesce.inside",
    "presence.wire.messages",
    "presence.wire.reading",
    "presence.master.farm",
    "presence.master.why.reader",
    "presence.master.why.workers",
    "presence.master.conditions",
    "presence.master.happenings",
    "presence.master.trail.trail",
    "presence.master.metrics.measures",
    "presence.master.metrics.port",
    "presence.master.reporters",
    "presence.master.absence.absence",
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
    "presence.calendar.zones",
    "presence.calendar.weekdays",
    "presence.model.calendarfiles",
    "presence.master.quiesce.plan",
    "presence.master.quiesce.newconfig",
    "presence.master.quiesce.reconfiguration",
    "presence.master.why.explain",
    "presence.master.why.facts",
    "presence.master.why.lockowners",
    "presence.orders.floor",
    "presence.wire.tokens",
)

PROGRAM = """
import sys
import buildbot.worker.manager, buildbot.process.builder
before = set(sys.modules)
from presence import enable
config = {"workers": []}
enable(config, **eval(sys.argv[1]))
print(*sorted(set(sys.modules) - before))
"""


class LightTests(SynchronousTestCase):
    def test_enable(self):
        """A farm whose workers have a presence, and breaks, imports none of that."""
        self.check({"onBreakDuring": {"*": ("07:00", "19:00", "MO-FR")}}, NEVER)

    def test_plain(self):
        """One line in master.cfg and nothing else: what is about breaks is not there either, nor what nobody has ordered."""
        self.check({}, NEVER_PLAIN)

    def check(self, keywords, never):
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, repr(keywords)],
            stdout=subprocess.PIPE,
            check=True,
            encoding="utf-8",
        )
        imported = ended.stdout.split()
        self.assertIn("presence.master.assembly", imported)
        found = [each for each in imported if any(f"{each}.".startswith(f"{name}.") for name in never)]
        self.assertEqual(found, [])
