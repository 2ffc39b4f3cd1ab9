"""Real processes whose clock is set: by libfaketime (Debian: `apt-get install faketime`), which shows them another one."""

import json
import time
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from presence.commands import exits
from tests.integration.farm import Farm, break_
from tests.integration.ownerscommands import Terminal
from tests.integration.processes import waitFor

HOUR = 3600
LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))

#: Within this time a jump is to be noticed, in seconds.
NOTICED = 2.0

# In the master: whatever changes, and how late the machine is, on the clock that nobody sets. The lateness is that of a thread
# that sleeps a tenth of a second and calls the reactor: what a guard of clocks cannot do without.
WITNESS = """
import json, threading
from pathlib import Path
from buildbot.util.service import BuildbotService
from twisted.internet import reactor
from twisted.internet.defer import inlineCallbacks
from presence.master.roster import Roster

blink = Path({blink!r})

def write(**line):
    with open({journal!r}, "a") as journal:
        journal.write(json.dumps(line) + "\\n")

class Witness(BuildbotService):
    name = "witness"

    @inlineCallbacks
    def startService(self):
        yield super().startService()
        roster = yield Roster.getService(self.master)
        for presence in roster.workers.values():
            presence.observe(self.changed)
            self.changed(presence)
        threading.Thread(target=self.look, daemon=True).start()

    def changed(self, presence):
        sources = [hold.source for hold in presence.holds]
        write(at=time.monotonic(), worker=presence.name, sources=sources)
        if presence.name == "held" and "admin" not in sources and blink.exists():
            # while the timer acts
            blink.replace({offset!r})

    def look(self):
        sleeping = threading.Event()
        while True:
            due = time.monotonic() + 0.1
            sleeping.wait(0.1)
            reactor.callFromThread(lambda due=due: write(at=time.monotonic(), late=time.monotonic() - due))

c["services"] = [Witness()]
"""


class SetClockTestCase(SynchronousTestCase):
    def start(self, *protocols):
        """A farm, and the environment of those of its processes whose clock is to be set."""
        if not LIBRARIES:
            raise SkipTest("there is no libfaketime")
        self.farm = Farm(self, *protocols)
        self.offset = self.farm.directory / "offset"
        self.setClock(0)
        return {
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self.offset),
            "FAKETIME_NO_CACHE": "1",
            # the reactor sleeps by this one
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def setClock(self, seconds):
        """Their clock shows so much more than ours."""
        new = self.offset.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        self.since = time.monotonic()
        new.replace(self.offset)


class SetClockTests(SetClockTestCase):
    def setUp(self):
        environment = self.start()
        self.farm.master.environment = environment
        self.journal = self.farm.directory / "journal"
        # what the master itself sets its clock to as soon as the hold has ended
        self.blink = self.farm.directory / "blink"

    def lines(self):
        text = self.journal.read_text()
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def sources(self, name, lines):
        """What holds it, in the end; that no worker is connected is not of interest here."""
        sources = [line["sources"] for line in lines if line.get("worker") == name][-1]
        return [source for source in sources if source != "offline"]

    def assertNoticed(self, **expected):
        """These workers are held by these within two seconds after the clock was set, and what the machine was late by."""

        def noticed():
            lines = self.lines()
            return all(self.sources(name, lines) == sources for name, sources in expected.items()) and lines

        lines = waitFor(f"held by: {expected}", noticed)
        since = [line for line in lines if line["at"] > self.since]
        late = max([line["late"] for line in since if "late" in line], default=0.0)
        at = max([line["at"] for line in since if line.get("worker") in expected], default=self.since)
        self.assertLess(at - self.since, NOTICED + late)

    def test_thereAndBack(self):
        """Set forward three hours and back within seconds, holds and breaks are what they were: nothing is lost for good."""
        now = time.time()
        self.farm.configure(
            'worker.BuildSlave(name="held", passwd=PASSWORD)',
            f'worker.BuildSlave(name="later", passwd=PASSWORD, onBreakDuring=[{break_(now + HOUR, now + 9 * HOUR)}])',
            f'worker.BuildSlave(name="now", passwd=PASSWORD, onBreakDuring=[{break_(now - HOUR, now + HOUR)}])',
            extra=WITNESS.format(journal=str(self.journal), offset=str(self.offset), blink=str(self.blink)),
        )
        self.farm.start()
        self.farm.post("presences/held", "hold", reason="disk", until=now + HOUR)
        self.since = time.monotonic()
        before = {"held": ["admin"], "later": [], "now": ["break"]}
        self.assertNoticed(**before)
        self.setClock(3 * HOUR)
        self.assertNoticed(held=[], later=["break"], now=[])
        self.setClock(0)
        self.assertNoticed(**before)
        # Faster than the guard looks: the timers have acted by another clock, and are heard of for that.
        for _ in range(2):
            self.blink.write_text("+0\n")
            self.setClock(3 * HOUR)
            waitFor("the clock is set back", lambda: not self.blink.exists())
            self.since = time.monotonic()
            self.assertNoticed(**before)
        self.assertEqual(self.farm.get("presences/held")["presences"][0]["holds"][-1]["reason"], "disk")


class OwnersClockTests(SetClockTestCase):
    def sources(self, name):
        return [hold["source"] for hold in self.farm.get(f"presences/{name}")["presences"][0]["holds"]]

    def test_thereAndBack(self):
        """The clock of the machines is set, and an owner's "away for an hour" ends and comes back, over PB and msgpack."""
        owners = {}
        environment = self.start("pb", "msgpack")
        names = {"one": "pb", "two": "msgpack"}
        self.farm.configure(*[f'worker.BuildSlave("{name}", PASSWORD)' for name in names])
        self.farm.start()
        for name, protocol in names.items():
            owners[name] = Terminal(self, self.farm.worker(name, protocol=protocol))
            owners[name].worker.environment = environment
            owners[name].start().worker.waitUntilConnected()
            owners[name].do(exits.DONE, "away", "--for", "1h")
        for offset, sources in ((0, ["worker"]), (3 * HOUR, []), (0, ["worker"])):
            self.setClock(offset)
            for name in names:
                self.farm.waitFor(
                    f"{name} is held by: {sources}",
                    lambda name=name, sources=sources: self.sources(name) == sources,
                )
