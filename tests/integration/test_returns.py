"""What becomes of a real build when the owner of the machine comes."""

import os
from pathlib import Path
from unittest import SkipTest

from tests.integration.buildrequest import RETRY
from tests.integration.farm import Farm
from tests.integration.ownerscommands import Terminal
from tests.integration.processes import waitFor
from tests.integration.realparts import RealPartsTestCase


class ReturnTests(RealPartsTestCase):
    """What becomes of a real build when its owner comes."""

    def process(self, request):
        """The number of the process that builds it; None when there is none."""
        for pid in filter(str.isdecimal, os.listdir("/proc")):  # noqa: PTH208
            try:
                if str(request._hold).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return int(pid)
            except OSError:  # noqa: PERF203
                continue  # it has ended
        return None

    def state(self, request):
        """The state of that process, as the kernel calls it; None when there is none."""
        try:
            return Path(f"/proc/{self.process(request)}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return None

    def priorities(self, request):
        """The priorities of all processes of the group that builds it."""
        group, found = os.getpgid(self.process(request)), set()
        for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))):  # noqa: PTH208
            try:
                if os.getpgid(pid) == group:
                    found.add(os.getpriority(os.PRIO_PROCESS, pid))
            except ProcessLookupError:  # noqa: PERF203
                continue  # it has ended
        return found

    def owner(self, farm, name, onReturn):
        flag = farm.directory / f"{name}-is-needed"
        sensor = f"__import__('presence.worker.sensors').worker.sensors.Command({f'test -e {flag}'!r}, quiet=0, every=0.5)"
        owner = Terminal(self, farm.worker(name), f"sensors=[{sensor}], {onReturn}").start()
        owner.worker.waitUntilConnected()
        waitFor("its start is over", lambda: not owner.status()["holds"])
        return owner, flag

    def test_returns(self):
        """It is suspended and goes on; cancelled while it is, it ends; sent back, it is built on another machine."""
        if not Path("/proc/self/stat").exists():
            raise SkipTest("no Linux")
        farm = Farm(self, "pb")
        farm.configure(*(f'worker.BuildSlave(name="{name}", passwd=PASSWORD)' for name in ("one", "two")))
        farm.start()
        owner, flag = self.owner(farm, "one", "onReturn='suspend'")
        runs = farm.force("one", held=True).waitUntilRuns()
        flag.touch()
        waitFor("it is stopped", lambda: self.state(runs) == "T")
        self.assertIn("what runs is suspended, and is sent back ", owner.do(0, "status"))
        flag.unlink()
        waitFor("it goes on", lambda: self.state(runs) not in {"T", None})
        runs.letFinish().waitUntilBuilt()

        cancelled = farm.force("one", held=True).waitUntilRuns()
        flag.touch()
        waitFor("it is stopped", lambda: self.state(cancelled) == "T")
        farm.post(f"builds/{cancelled.builds[0]['buildid']}", "stop")
        waitFor("its process has ended", lambda: self.state(cancelled) is None)
        waitFor("it is cancelled", lambda: cancelled.complete)

        _, other = self.owner(farm, "two", "onReturn='sendback', returnLimit=0")
        back = farm.force("any", held=True).waitUntilRuns()
        self.assertEqual(len(back.builds), 1)
        other.touch()
        farm.waitFor("it is sent back", lambda: back.builds[0]["results"] == RETRY)
        self.assertEqual(len(back.builds), 1)
        flag.unlink()
        back.letFinish()
        one = farm.getWorker("one")["workerid"]
        self.assertEqual(back.waitUntilBuilt()["workerid"], one)

    def test_nice(self):
        """It has the lowest priority with all of its process group while its owner is there, and after that its own one."""
        if not Path("/proc/self/stat").exists():
            raise SkipTest("no Linux")
        farm = Farm(self, "pb")
        farm.configure('worker.BuildSlave(name="one", passwd=PASSWORD)')
        farm.start()
        owner, flag = self.owner(farm, "one", "onReturn='nice'")
        runs = farm.force("one", held=True).waitUntilRuns()
        before = self.priorities(runs)
        self.assertNotIn(19, before)
        flag.touch()
        waitFor("it is last", lambda: self.priorities(runs) == {19})
        self.assertIn("what runs has the lowest priority", owner.do(0, "status"))
        flag.unlink()
        waitFor("its owner has gone", lambda: owner.status()["on_return"] is None)
        # priority is not given to everybody
        self.assertEqual(self.priorities(runs), before if os.geteuid() == 0 else {19})
        runs.letFinish().waitUntilBuilt()
