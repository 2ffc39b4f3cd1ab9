"""macOS and Windows, as they answer according to what people have recorded there, and to what Microsoft documents."""

import ctypes
import subprocess
import sys
import time
from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from presence.worker.looking import bounded, elsewhere
from presence.worker.looking.bounded import Outcome
from presence.worker.looking.elsewhere import idleOfMac, idleOfWindows, readIdleTime
from presence.worker.sensors import CannotTellError, Used, used

# `ioreg -r -c IOHIDSystem -d 1`, as it is said on macOS 26, but for most of its lines.
IOREG = b"""\
+-o IOHIDSystem  <class IOHIDSystem, id 0x1000005b6, registered, matched, active, busy 0 (0 ms), retain 26>
    {
      "IOClass" = "IOHIDSystem"
      "CFBundleIdentifier" = "com.apple.iokit.IOHIDFamily"
      "HIDIdleTime" = 3254341351000
      "HIDParameters" = {"HIDClickTime"=500000000,"HIDScrollZoomModifierMask"=262144,"HIDPointerAcceleration"=45056}
      "IOProviderClass" = "IOResources"
      "HIDServiceSupport" = Yes
    }
"""

# The same by some older releases: in the frame of the tree, and of two objects.
IOREG_OF_TWO = b"""\
+-o IOHIDSystem  <class IOHIDSystem, id 0x1000002cf, registered, matched, active, busy 0 (0 ms), retain 21>
  | {
  |   "HIDIdleTime" = 21858429000
  |   "HIDParameters" = {"HIDIdleTime"=21858429000}
  | }
  |
+-o IOHIDSystem  <class IOHIDSystem, id 0x1000002d0, registered, matched, active, busy 0 (0 ms), retain 12>
    {
      "HIDIdleTime"=1000000
    }
"""

# What is said, with the exit status 0, where no display is: without the key, or nothing at all.
IOREG_HEADLESS = IOREG.replace(b'      "HIDIdleTime" = 3254341351000\n', b"")


class MacTests(SynchronousTestCase):
    """`ioreg` says nanoseconds, among much else."""

    def says(self, outcome):
        self.ran = []
        self.patch(bounded, "run", lambda arguments: self.ran.append(arguments) or outcome)

    def test_recorded(self):
        """What has been recorded on real machines is understood; of several times the shortest counts."""
        for said, seconds in (
            (IOREG, 3254.341351),
            (IOREG_OF_TWO, 0.001),
            (b'"HIDIdleTime" = 0\n', 0.0),
            # 584 years: of a machine that nobody has touched since it was started
            (b'"HIDIdleTime" = 18446744073709551615\n', 18446744073.709551615),
        ):
            self.assertEqual(readIdleTime(Outcome(0, said)), seconds)

    def test_cannotTell(self):
        """What it does not say cannot be told, and is not "just now"."""
        for outcome in (
            Outcome(0, IOREG_HEADLESS),
            Outcome(0, b""),
            Outcome(1, IOREG),
            Outcome(-9, b""),
            Outcome(0, b'"HIDIdleTime" = ' + b"9" * 99),
            Outcome(0, b'"HIDIdleTime" = <00000000>\n'),
            Outcome(0, b'"HIDIdleTime" = "soon"\n'),
        ):
            self.assertRaisesRegex(CannotTellError, "HIDIdleTime", readIdleTime, outcome)

    def test_asked(self):
        """The program is Apple's own, by its full path; it is asked for the object alone, whose depth counts from it."""
        self.says(Outcome(0, IOREG))
        self.assertEqual(idleOfMac(), 3254.341351)
        self.assertEqual(self.ran, [["/usr/sbin/ioreg", "-r", "-c", "IOHIDSystem", "-d", "1"]])

    def test_missing(self):
        """Where there is no such program, as here, it says so."""
        run = bounded.run
        self.patch(bounded, "run", lambda arguments: run([f"{arguments[0]}.missing"]))
        self.assertRaisesRegex(CannotTellError, "cannot be started", idleOfMac)

    def test_used(self):
        """The sensor of a Mac looks every five seconds, says since when nobody was there, and that somebody is."""
        self.patch(used, "WAYS", ("macos",))
        sensor = Used(ways=("macos",))
        self.says(Outcome(0, IOREG))
        reading = sensor.look()
        self.assertFalse(reading.away)
        self.assertRegex(reading.text, r"^nobody has used it since .*\(macos\)$")
        self.assertLess(abs(reading.last - (time.time() - 3254)), 5)
        self.says(Outcome(0, IOREG_OF_TWO))
        reading = sensor.look()
        self.assertEqual((reading.away, reading.text), (True, "somebody uses the machine"))
        # a key that was pressed just after the last look is not missed by the next one
        self.says(Outcome(0, b'"HIDIdleTime" = 4900000000\n'))
        self.assertTrue(sensor.look().away)
        self.says(Outcome(0, IOREG_HEADLESS))
        self.assertRaisesRegex(CannotTellError, "ioreg does not say HIDIdleTime", sensor.look)


class Windows:
    """`ctypes.windll`, as far as it is asked, of a machine that has run for `ticks` milliseconds and was used at `used`."""

    def __init__(self, ticks, used, *, session=True):
        self.sizes = []
        self.user32 = SimpleNamespace(GetLastInputInfo=self._last_input)
        self.kernel32 = SimpleNamespace(GetTickCount=self._tick_count)
        self._ticks, self._used, self._session = ticks, used, session

    def _last_input(self, reference):
        structure = reference._obj
        # as documented it is refused when cbSize is not that of LASTINPUTINFO: a UINT and a DWORD
        self.sizes.append((ctypes.sizeof(structure), structure.size))
        if structure.size != 8 or not self._session:
            return 0
        structure.ticks = self._used % 2**32
        return 1

    def _tick_count(self):
        # ctypes takes what a function returns for a signed int, unless it is told otherwise
        return ctypes.c_int(self._ticks % 2**32).value


class WindowsTests(SynchronousTestCase):
    """`GetLastInputInfo` and `GetTickCount`, which count milliseconds in 32 bits."""

    DAY = 24 * 3600 * 1000

    def windows(self, ticks, used, **more):
        machine = Windows(ticks, used, **more)
        self.patch(elsewhere.sys, "platform", "win32")
        ctypes.windll = machine
        self.addCleanup(vars(ctypes).pop, "windll", None)
        return machine

    def test_idle(self):
        """It is how long ago the last input was, in seconds."""
        machine = self.windows(ticks=90_000, used=12_500)
        self.assertEqual(idleOfWindows(), 77.5)
        self.assertEqual(machine.sizes, [(8, 8)])

    def test_signed(self):
        """After 24.8 days the count has its highest bit set, and is read as a negative number."""
        for days in (24.8, 24.9, 30, 49.7):
            ticks = int(days * self.DAY)
            self.windows(ticks, ticks - 1500)
            self.assertEqual(idleOfWindows(), 1.5)

    def test_beginsAgain(self):
        """After 49.7 days both begin again, first the one and then the other."""
        for ticks, last in (
            (2**32 + 500, 2**32 - 1000),
            (2**32 - 1, 2**32 - 1500),
            (2**32 + 1500, 2**32),
            (3 * 2**32 + 700, 3 * 2**32 - 800),
        ):
            self.windows(ticks, last)
            self.assertEqual(idleOfWindows(), (ticks - last) / 1000)

    def test_service(self):
        """In the session of a service nobody is seen: that cannot be told, and is not "just now"."""
        self.windows(90_000, 0, session=False)
        self.assertRaisesRegex(CannotTellError, "a service sees nobody", idleOfWindows)

    def test_used(self):
        """The sensor there: somebody, nobody since then, and that it cannot tell."""
        self.patch(used, "WAYS", ("windows",))
        sensor = Used(ways=("windows",))
        self.windows(2**32 + 100, 2**32 - 200)
        self.assertTrue(sensor.look().away)
        self.windows(2**32 + 3_600_000, 2**32)
        reading = sensor.look()
        self.assertFalse(reading.away)
        self.assertRegex(reading.text, r"^nobody has used it since .*\(windows\)$")
        self.assertLess(abs(reading.last - (time.time() - 3600)), 5)
        self.windows(90_000, 0, session=False)
        self.assertRaisesRegex(CannotTellError, "a service sees nobody", sensor.look)

    def test_notWindows(self):
        """Elsewhere nobody is asked as on Windows."""
        self.assertRaisesRegex(CannotTellError, "this is not Windows", idleOfWindows)


class PipeTests(SynchronousTestCase):
    """On Windows a pipe cannot be waited for: a thread reads what a program says."""

    def read(self, program, patience=30.0):
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return bounded._read_elsewhere(process, time.monotonic() + patience)

    def test_said(self):
        """All of it."""
        self.assertEqual(self.read("print('x' * 60000, end='')"), b"x" * 60000)

    def test_silent(self):
        """One that says nothing, and does not end, is not waited for."""
        self.assertRaises(TimeoutError, self.read, "import time; time.sleep(60)", patience=0.1)

    def test_floods(self):
        """One that says too much is not read to its end."""
        self.assertRaisesRegex(CannotTellError, "more than 64 KB", self.read, "while True: print('x' * 1000)")
