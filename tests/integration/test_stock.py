"""Buildbot's own workers beside ours, other kinds of workers through the mixin, and the sample."""

import time
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.integration.farm import Farm, break_

SAMPLE = Path(__file__).parents[2] / "master.cfg.sample"

LOCAL = """
from buildbot.worker.local import LocalWorker
from presence.master.buildslave import PresenceMixin

class RestingLocalWorker(PresenceMixin, LocalWorker):
    pass
"""


class NeighbourTests(SynchronousTestCase):
    def test_neighbours(self):
        """Stock workers build while ours are on a break, and a LocalWorker has breaks through the mixin."""
        farm = Farm(self)
        start = time.time()

        def workers(end):
            interval = break_(start, end)
            return (
                f'worker.BuildSlave("mac-mini", PASSWORD, onBreakDuring={interval})',
                'worker.Worker("stock", PASSWORD)',
                f'RestingLocalWorker("local", onBreakDuring={interval})',
            )

        farm.configure(*workers(start + 3600), prelude=LOCAL)
        farm.start()
        for name in ("mac-mini", "stock"):
            farm.worker(name).start()
        for name in ("mac-mini", "stock", "local"):
            farm.worker(name).waitUntilConnected()
        ours = [farm.force("mac-mini"), farm.force("local")]
        both = farm.force("any")
        both.waitUntilBuilt()
        self.assertEqual([build["workerid"] for build in both.builds], [farm.getWorker("stock")["workerid"]])
        farm.force("stock").waitUntilBuilt()
        self.assertEqual([request.builds for request in ours], [[], []])
        end = time.time() + 1.5
        farm.reconfigure(*workers(end), prelude=LOCAL)
        for request in ours:
            request.assertStartsAtOnce(end)


class SampleTests(SynchronousTestCase):
    def test_sample(self):
        """master.cfg.sample passes checkconfig and starts as it is, but for its ports; its worker connects."""
        if not SAMPLE.exists():
            raise SkipTest("there is no master.cfg.sample")
        farm = Farm(self)
        text = SAMPLE.read_text()
        farm.config.write_text(text)
        status, said = farm.checkconfig()
        self.assertEqual(status, 0, said)
        for port, free in (("9989", farm.ports["pb"]), ("8010", farm.www)):
            self.assertIn(port, text)
            text = text.replace(port, str(free))
        farm.config.write_text(text)
        farm.start()
        farm.worker("mac-mini").start().waitUntilConnected()
        self.assertEqual(farm.get("builders")["builders"][0]["name"], "runtests")
        self.assertNotIn("Traceback", farm.master.log)
