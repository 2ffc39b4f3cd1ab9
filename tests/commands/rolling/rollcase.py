"""What the tests of `presence roll` have in common: a master in memory, and commands that a test ends."""

import io
import json
from pathlib import Path

from presence.commands.master import waiting
from presence.commands.rolling import rolling
from tests.commands.master.admincase import HOUR, NOW, AdminTestCase

COMMAND = ("--", "ssh", "{worker}", "sudo apt-get -y upgrade", "&&", "sudo reboot")


class FakeJob:
    """A command that ends when the test says so."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.status = None
        self.process = self
        self.killed = False
        self.output = io.BytesIO()

    def poll(self):
        return self.status

    def lines(self):
        return ["no space left"]

    def kill(self):
        self.killed = True

    def wait(self):
        pass


class RollTestCase(AdminTestCase):
    def setUp(self):
        super().setUp()
        self.now = NOW
        self.jobs = []
        #: what happens on the master each time, until there is nothing left
        self.steps = []
        self.patch(waiting.time, "monotonic", lambda: self.now)
        self.patch(waiting.time, "sleep", self.sleep)
        self.patch(rolling, "_Job", self.job)
        self.state = Path(self.mktemp()) / "state" / "roll.json"
        self.master.workers["mac-mini"]["running"] = 0
        self.master.workers["mac-pro"]["holds"] = []
        # each command succeeds at once, unless a test says otherwise
        self.status = {}

    def job(self, arguments):
        job = FakeJob(arguments)
        job.status = self.status.get(arguments[1], 0)
        if isinstance(job.status, Exception):
            raise job.status
        self.jobs.append(job)
        return job

    def sleep(self, seconds):
        self.now += seconds
        if self.steps:
            self.steps.pop(0)()
        self.assertLess(self.now, NOW + 3 * HOUR)

    def roll(self, *arguments):
        status, out, err = self.run_("roll", "--state", str(self.state), *arguments)
        return status, [line[9:] for line in out.splitlines()], err

    def orders(self):
        """(worker, action, reason) of each order."""
        names = {str(each["workerid"]): name for name, each in self.master.workers.items()}
        return [(names[path], action, params.get("reason")) for path, action, params in self.master.posted()]

    def steps_of(self):
        return [each["state"] for each in json.loads(self.state.read_text())["workers"]]

    def wait(self, steps):
        self.steps += [lambda: None] * steps
