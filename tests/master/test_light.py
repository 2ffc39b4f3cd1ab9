"""What a master does not use it has not got in memory."""

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

# what is needed when somebody asks why a request waits, has a rule, or a calendar; and what a master never needs
NEVER = (
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

PROGRAM = """
import sys
import buildbot.worker.manager, buildbot.process.builder
before = set(sys.modules)
from presence import enable
from presence.breaks import Break
config = {"workers": []}
enable(config, onBreakDuring={"*": ("07:00", "19:00", "MO-FR")})
print(*sorted(set(sys.modules) - before))
"""


class LightTests(SynchronousTestCase):
    def test_enable(self):
        """A farm whose workers have a presence, and breaks, imports none of that."""
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, check=True, encoding="utf-8"
        )
        imported = ended.stdout.split()
        self.assertIn("presence.master.assembly", imported)
        found = [each for each in imported if any(f"{each}.".startswith(f"{name}.") for name in NEVER)]
        self.assertEqual(found, [])
