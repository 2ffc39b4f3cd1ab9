"""Sensors with real parts: an X server and key presses, a disk that is full."""

import ctypes
import os
import signal
import subprocess
import time
from contextlib import contextmanager
from unittest import SkipTest

from twisted.internet.defer import inlineCallbacks
from twisted.internet.threads import deferToThread

from presence.worker.sensors import DiskBelow
from tests.integration.farm import Farm
from tests.integration.ownerscommands import Terminal
from tests.integration.processes import waitFor
from tests.integration.realparts import SOON, RealPartsTestCase, impatient, needs
from tests.integration.test_wire import OURS

#: After what time without a key press the worker is back.
QUIET = 4

# Presses a key again and again. In a file is an instant before the last time.
PRESSING = "while date +%s.%N > {0}.new && xdotool key a; do mv {0}.new {0}; sleep 0.5; done"


class KeyboardTests(RealPartsTestCase):
    def display(self):
        """An X server, in the environment of whatever is started."""
        needs("Xvfb", "xdotool")
        try:
            ctypes.CDLL("libXss.so.1")
        except OSError as problem:
            raise SkipTest(str(problem)) from None
        read, write = os.pipe()
        self.start("Xvfb", "-displayfd", str(write), "-screen", "0", "64x64x8", pass_fds=[write])
        os.close(write)
        with os.fdopen(read) as pipe:
            number = pipe.readline().strip()
        if not number:
            raise SkipTest("Xvfb does not start here")
        self.environment(DISPLAY=f":{number}")
        # it takes its own start for the last key press: a worker would be away, and let go too early
        started = time.monotonic()
        waitFor("that is over", lambda: time.monotonic() > started + 2 * QUIET)

    @contextmanager
    def somebodyTypes(self):
        """Meanwhile; in `typed` is then an instant before the last key press."""
        file = self.folder() / "typed"
        typing = self.start("sh", "-c", PRESSING.format(file), start_new_session=True)
        try:
            waitFor("a key is pressed", file.exists)
            yield
        finally:
            os.killpg(typing.pid, signal.SIGKILL)
            typing.wait()
        self.typed = float(file.read_text())

    def test_master(self):
        """What runs is finished, no build starts from the key press on, `work` overrules it, and after the quiet time it is back."""
        self.display()
        farm = Farm(self, "pb")
        farm.configure(OURS)
        farm.start()
        # who waits here has less patience than an owner
        sensors = (
            f"sensors=[(lambda used: setattr(used, 'quiet', {QUIET}) or used)"
            "(__import__('presence.worker.sensors').worker.sensors.Used(ways=('x11',)))]"
        )
        owner = Terminal(self, farm.worker("mac-mini"), sensors).start()
        owner.worker.waitUntilConnected()
        waitFor("its start is over", lambda: not owner.status()["holds"])
        runs = farm.force("mac-mini", held=True).waitUntilRuns()
        with self.somebodyTypes():
            (hold,) = waitFor("the master has heard", lambda: farm.get("presences")["presences"][0]["holds"])
            self.assertEqual(
                (hold["source"], hold["reason"], hold["by"]),
                ("worker", "somebody uses the machine", "sensor"),
            )
            request = farm.force("any")
            runs.letFinish().waitUntilBuilt()
            self.assertEqual(request.builds, [])
            self.assertIn("away by itself (somebody uses the machine)", owner.do(0, "status"))
        self.assertGreater(request.waitUntilBuilt()["started"], self.typed + QUIET)
        with self.somebodyTypes():
            waitFor("away again", lambda: owner.sources() == ["sensor"])
            self.assertIn(
                "accepts builds, in spite of its breaks and sensors", owner.do(0, "work", "--for", "1h")
            )
            farm.force("any").waitUntilBuilt()

    @inlineCallbacks
    def test_keyPress(self):
        """Away with the first key press, and back after the quiet time; the master hears each once."""
        self.display()
        presence = self.begin(impatient(3, "x11"))
        # it has not looked yet
        yield self.until(presence, held=False)
        self.said()
        began = time.monotonic()
        press = self.start("xdotool", "key", "a")
        took = yield self.until(presence, held=True)
        yield deferToThread(press.wait)
        self.assertLess(took, SOON)
        self.assertEqual(self.said(), [("NOT_ACCEPTING_NEW_BUILDS", "somebody uses the machine", "sensor")])
        yield self.until(presence, held=False)
        # it counts from the key press, which is told in milliseconds
        self.assertGreater(time.monotonic() - began, 2.9)
        self.assertEqual([state for state, _, _ in self.said()], ["AVAILABLE"])


class DiskTests(RealPartsTestCase):
    def test_full(self):
        """A small disk that gets full, and is emptied again."""
        folder = self.folder()
        if subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=False, stderr=subprocess.DEVNULL
        ).returncode:
            raise SkipTest("nothing may be mounted here")
        try:
            sensor = DiskBelow("512K", str(folder))
            self.assertIs(sensor.read().away, False)
            (folder / "build").write_bytes(bytes(800 * 1024))
            reading = sensor.read()
            self.assertEqual(
                (reading.away, reading.text), (True, f"only 224 KB of the disk of {folder} are free")
            )
            (folder / "build").unlink()
            self.assertIs(sensor.read().away, False)
        finally:
            subprocess.run(["umount", folder], check=True)
