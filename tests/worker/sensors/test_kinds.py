"""Each kind of sensor: what it sees, and what it says when it cannot."""

import os
import select
import shutil
import subprocess
import time
from functools import partial
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import psutil
from twisted.trial.unittest import SynchronousTestCase

from presence.worker.looking import bounded, processes
from presence.worker.looking.processes import Family, Process, Snapshot, snapshot
from presence.worker.sensors import (
    CannotTellError,
    Command,
    DiskBelow,
    LoadAbove,
    OnBattery,
    Used,
    WhileRunning,
    load,
    machine,
    running,
)
from presence.worker.sensors.looker import Looker
from tests.worker.sensors.fakes import KindTestCase


def process(parent, group=0, name="", seconds=0.0, terminal=0):
    return Process(parent, group, terminal, name, seconds)


class CommandTests(KindTestCase):
    def test_exitStatus(self):
        """0 is away, and its first line the reason; 1 is not; anything else cannot tell, and says what it has said."""
        self.assertSays(Command("echo; echo ' a film '; echo more"), True, "^a film$")
        self.assertSays(Command("true"), True, "^'true' says so$")
        self.assertSays(Command("echo no; exit 1"), False, "^no$")
        self.assertCannotTell(
            Command("echo broken >&2; exit 2"), r"^exit status 2: broken; 0 \(away\) or 1 is right$"
        )
        self.assertCannotTell(Command("no-such-program"), "^exit status 127: .*not found")
        self.assertCannotTell(Command("kill -9 $$"), "^signal 9;")
        self.assertSays(Command("printf '\\377\\033[31m'"), True, "^\ufffd \\[31m$")

    def test_endless(self):
        """A command that does not end is killed, with all that it has started."""
        self.patch(bounded.run, "__defaults__", (0.3,))
        pidfile = Path(self.mktemp()).absolute()
        began = time.monotonic()
        for command in (f"sleep 60 & echo $! > {pidfile}; wait", f"sleep 60 & echo $! > {pidfile}"):
            self.assertCannotTell(Command(command), "^it has not ended within 0.3 s, and was killed")
            self.assertGone(int(pidfile.read_text()))
        self.assertLess(time.monotonic() - began, 5)

    def assertGone(self, pid):
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        self.addCleanup(os.close, descriptor)
        self.assertEqual(select.select([descriptor], [], [], 5)[0], [descriptor])

    def test_flood(self):
        """A command that says 10 MB is killed as soon as that is too much."""
        self.assertCannotTell(
            Command("head -c 10000000 /dev/zero; sleep 60"), "says more than 64 KB, and was killed"
        )

    def test_mistakes(self):
        """What is not a command, or not a duration, is a ValueError."""
        for wrong in ("", "a\nb", None, ["true"]):
            self.assertRaisesRegex(ValueError, "command: .* is not a line of text", Command, wrong)
        self.assertRaisesRegex(
            ValueError, "quiet: '5' is not a duration: does 5 mean 5m", Command, "true", quiet="5"
        )
        self.assertRaisesRegex(ValueError, "quiet=-1 is not", Command, "true", quiet=-1)


class ProcessTests(KindTestCase):
    def see(self, *tables):
        """What the sensors see, look by look: (at, busy, processes)."""
        found = [Snapshot(*table) for table in tables]
        for module in (running, load):
            self.patch(module, "snapshot", lambda oldest=0: found.pop(0))
        self.patch(load.time, "sleep", lambda _: None)

    def test_family(self):
        """Ours are the descendants, and their process groups also when the parents have ended; no one else's group."""
        family = Family(10)
        table = {
            10: process(1, 5),
            11: process(10, 11),
            12: process(11, 11),
            13: process(1, 5),
            14: process(10, 5),
        }
        self.assertEqual(family.members(table), {10, 11, 12, 14})
        orphan = {10: process(1, 5), 12: process(1, 11), 13: process(1, 5), 15: process(12, 15)}
        self.assertEqual(family.members(orphan), {10, 12, 15})
        self.assertEqual(family.members({10: process(1, 5), 15: process(1, 15)}), {10, 15})
        self.assertEqual(family.members({10: process(1, 5), 16: process(1, 11)}), {10})

    def test_running(self):
        """A program of the list holds, by the name that the system keeps; one of our own builds does not."""
        mine = os.getpid()
        blender = {mine: process(1), 20: process(1, name="blender")}
        self.see((0, 0, blender), (0, 0, {**blender, 20: process(mine, name="blender")}), (0, 0, {}))
        sensor = WhileRunning("blender", "a-name-of-sixteen")
        self.assertSays(sensor, True, "^blender runs$")
        self.assertSays(sensor, False, "^none of a-name-of-sixteen, blender runs$")
        self.see((0, 0, {9: process(1, name="a-name-of-sixte")}))
        self.assertSays(sensor, True, "^a-name-of-sixteen runs$")
        self.assertRaisesRegex(ValueError, "write WhileRunning", WhileRunning)

    def test_realProcess(self):
        """A real process of the list is seen; it is not when it is a child of ours."""
        if not Path("/proc/self/stat").exists():
            return
        program = Path(self.mktemp()).absolute()
        program = program.with_name("h20 (film) x")
        shutil.copy(shutil.which("sleep"), program)
        child = subprocess.Popen([program, "60"])
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        processes._last.clear()
        self.assertSays(WhileRunning(program.name, pid=-1), True, "runs$")
        self.assertSays(WhileRunning(program.name), False, "does not run$")

    def test_load(self):
        """What others compute counts, of our own builds nothing: neither of those that run nor of those that have ended."""
        mine = os.getpid()
        self.see(
            (0.0, 100.0, {mine: process(1, seconds=10.0), 20: process(mine, seconds=5.0)}),
            (1.0, 102.0, {mine: process(1, seconds=10.0), 20: process(mine, seconds=6.5)}),
            # the build has ended, and its parent has got its seconds
            (11.0, 132.0, {mine: process(1, seconds=26.5)}),
            (11.0, 132.0, {mine: process(1, seconds=26.5)}),
        )
        sensor = LoadAbove("1.5")
        self.assertSays(sensor, False, "^others keep 0.5 processors busy, of 1.5 that they may$")
        self.assertSays(sensor, True, "^others keep 2.0 processors busy$")
        self.assertCannotTell(sensor, "no time has passed")
        for wrong in (0, "much", None, True, float("nan")):
            self.assertRaisesRegex(ValueError, "not a number above 0: write 1.5", LoadAbove, wrong)

    def test_noProcesses(self):
        """Where processes cannot be seen, and psutil is missing, it says what is needed."""
        processes._last.clear()
        self.patch(processes, "find_spec", lambda _: None)
        problem = self.assertRaises(CannotTellError, snapshot, Path(self.mktemp()))
        self.assertIn("psutil", str(problem))
        self.assertIn("buildbot-presence[sensors]", str(problem))

    def test_psutil(self):
        """With psutil it sees the same."""
        table = processes._elsewhere(0.0).processes
        self.assertIn(os.getpid(), table)
        self.assertEqual(table[os.getpid()].parent, os.getppid())
        self.assertGreater(table[os.getpid()].seconds, 0)


class MachineTests(KindTestCase):
    def supplies(self, **supplies):
        root = Path(self.mktemp())
        for name, files in supplies.items():
            (root / name).mkdir(parents=True)
            for file, content in files.items():
                (root / name / file).write_text(f"{content}\n")
        root.mkdir(exist_ok=True)
        return OnBattery(supplies=root)

    def test_battery(self):
        """It is on battery when one discharges and nothing is plugged in; that of a mouse does not count."""
        discharging = {"type": "Battery", "status": "Discharging"}
        charging = {"type": "Battery", "status": "Charging"}
        unplugged, plugged = {"type": "Mains", "online": 0}, {"type": "Mains", "online": 1}
        for supplies, away, text in (
            ({"AC": unplugged, "BAT0": discharging}, True, "runs on battery"),
            ({"BAT0": discharging, "BAT1": {"type": "Battery", "status": "Full"}}, True, "runs on battery"),
            ({"AC": plugged, "BAT0": discharging}, False, "plugged in"),
            ({"BAT0": charging}, False, "plugged in"),
            ({"AC": unplugged, "BAT0": charging}, False, "plugged in"),
            ({"hid": {**discharging, "scope": "Device"}, "AC": plugged}, False, "no battery"),
            ({}, False, "no battery"),
        ):
            self.assertSays(self.supplies(**supplies), away, text)

    def test_batteryElsewhere(self):
        """Elsewhere psutil says it; without that it says what is needed."""
        sensor = OnBattery(supplies=Path(self.mktemp()))
        battery = partial(SimpleNamespace, percent=50)
        for said, away in (
            (battery(power_plugged=False), True),
            (battery(power_plugged=True), False),
            (None, False),
        ):
            self.patch(psutil, "sensors_battery", lambda said=said: said)
            self.assertIs(sensor.read().away, away)
        self.patch(psutil, "sensors_battery", lambda: battery(power_plugged=None))
        self.assertCannotTell(sensor, "does not say whether")
        self.patch(machine, "find_spec", lambda _: None)
        self.assertCannotTell(sensor, "psutil")

    def test_disk(self):
        """Too little is free, or enough; a path that is not there cannot be asked."""
        real = machine.shutil.disk_usage
        self.patch(machine.shutil, "disk_usage", lambda path: SimpleNamespace(free=5 * 2**30 - 1))
        self.assertSays(DiskBelow("5G"), True, "^only 5.0 GB of the disk are free$")
        self.assertSays(DiskBelow("4.9GiB", "/home"), False, "^5.0 GB of the disk of /home are free$")
        self.patch(machine.shutil, "disk_usage", real)
        self.assertCannotTell(DiskBelow(5, "/no/such/place"), "/no/such/place cannot be asked: No such file")
        for wrong in ("5X", "", "0", "9" * 400, None, -5, "G"):
            self.assertRaisesRegex(ValueError, 'not a size: write "5G"', DiskBelow, wrong)


class UsedTests(KindTestCase):
    def test_mistakes(self):
        """A way that there is not is a ValueError that lists those that there are."""
        self.assertRaisesRegex(ValueError, "'telepathy' is not one of ", Used, ways=["telepathy"])
        self.assertRaisesRegex(ValueError, "ways is empty: write some of", Used, ways=())
        self.assertRaisesRegex(ValueError, "quiet: 'long' is not a duration", Used, "long")
        for short in ("14m59s", "1m", 0, 899.9):
            self.assertRaisesRegex(ValueError, 'is too short: .*; write "15m", or longer$', Used, short)
        self.assertEqual(Used("15m").quiet, 900)


class FakeReactor:
    def __init__(self):
        self.called = Event()

    def callFromThread(self, function):
        function()
        self.called.set()


class LookerTests(SynchronousTestCase):
    def setUp(self):
        self.reactor = FakeReactor()
        self.looker = Looker(self.reactor)
        self.addCleanup(self.looker.stop)

    def look(self, function):
        self.reactor.called.clear()
        looked = self.looker.look(function)
        self.assertTrue(self.reactor.called.wait(5))
        return looked

    def test_looks(self):
        """It fires with what is returned, and fails with what is raised, whatever that is; all in one thread."""
        self.assertEqual(self.successResultOf(self.look(lambda: 5)), 5)
        thread = self.looker._thread
        self.failureResultOf(self.look(lambda: {}["x"]), KeyError)
        self.failureResultOf(self.look(lambda: exec("raise SystemExit")), SystemExit)
        self.assertEqual(self.successResultOf(self.look(lambda: 6)), 6)
        self.assertIs(self.looker._thread, thread)
        self.looker.stop()
        thread.join(5)
        self.assertFalse(thread.is_alive())

    def test_hangs(self):
        """While one look hangs, for which nobody waits any more, there is no second one; when it has come back there is."""
        hanging = Event()
        self.addCleanup(hanging.set)
        first = self.looker.look(hanging.wait)
        first.cancel()
        self.failureResultOf(first)
        problem = self.failureResultOf(self.looker.look(lambda: 5), CannotTellError).value
        self.assertIn("has not come back", str(problem))
        hanging.set()
        self.assertTrue(self.reactor.called.wait(5))
        self.assertEqual(self.successResultOf(self.look(lambda: 5)), 5)
