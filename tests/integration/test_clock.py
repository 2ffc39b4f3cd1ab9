"""Real processes whose clock is set: by libfaketime (Debian: `apt-get install faketime`), which shows them another one."""

import json
import time
from pathlib import Path
from typing import ClassVar

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
    """Owners have said "away for an hour", over PB and msgpack."""

    NAMES: ClassVar[dict[str, str]] = {"one": "pb", "two": "msgpack"}

    def begin(self, *, setMasters):
        """The clock of the master is to be set, or that of the machines."""
        environment = self.start(*self.NAMES.values())
        if setMasters:
            self.farm.master.environment = environment
        self.farm.configure(*[f'worker.BuildSlave("{name}", PASSWORD)' for name in self.NAMES])
        self.farm.start()
        for name, protocol in self.NAMES.items():
            owner = Terminal(self, self.farm.worker(name, protocol=protocol))
            if not setMasters:
                owner.worker.environment = environment
            owner.start().worker.waitUntilConnected()
            owner.do(exits.DONE, "away", "--for", "1h")

    def ends(self):
        """When each of them is held no longer, on the clock of the master; None where nothing holds it."""
        found = {each["name"]: each["holds"] for each in self.farm.get("presences")["presences"]}
        return [holds[-1]["until"] if holds else None for holds in found.values()]

    def near(self, ends):
        """Whether they end then, give or take a moment."""
        return all(
            (now is None) == (end is None) and (now is None or abs(now - end) < self.farm.moment)
            for now, end in zip(self.ends(), ends, strict=True)
        )

    def test_machines(self):
        """The clock of the machines is set there and back: the hour ends, and goes on."""
        self.begin(setMasters=False)
        before = self.ends()
        for offset, ends in ((3 * HOUR, [None for _ in before]), (0, before)):
            self.setClock(offset)
            self.farm.waitFor(f"it ends: {ends}", lambda ends=ends: self.near(ends))

    def test_masters(self):
        """That of the master is set there and back: the hour is as long as before."""
        self.begin(setMasters=True)
        before = self.ends()
        for offset in (3 * HOUR, -3 * HOUR, 0):
            self.setClock(offset)
            ends = [each + offset for each in before]
            self.farm.waitFor(f"it ends: {ends}", lambda ends=ends: self.near(ends))
