"""The ways to know for how long nobody has used the machine."""

import contextlib
import os
import socket
import struct
import time
from pathlib import Path
from threading import Thread

from twisted.trial.unittest import SynchronousTestCase

from presence.worker.looking import bus, logind, terminals, x11
from presence.worker.looking.logind import Logind
from presence.worker.looking.processes import Process, Snapshot
from presence.worker.looking.terminals import Terminals
from presence.worker.looking.x11 import Display, displays
from presence.worker.sensors import CannotTellError, Used, used

SETUP = (
    struct.pack("<BxHHH", 1, 11, 0, 18)
    + struct.pack("<16xHxxxB10x", 3, 2)
    + b"me!\0"
    + bytes(16)
    + struct.pack("<I", 77)
    + bytes(16)
)
PRESENT = struct.pack("<BxHIBB22x", 1, 1, 0, 1, 144)
EVENT = bytes([34]) + bytes(31)


def idle(milliseconds):
    return struct.pack("<BBHIIII12x", 1, 0, 2, 0, 77, 0, milliseconds)


class DisplayTests(SynchronousTestCase):
    """What a server says that may be anything."""

    def serve(self, *answers):
        """A display :5 that gives each of the answers when it is asked, to one client after the other."""
        self.folder = Path("/tmp", f"x{os.getpid()}-{time.monotonic_ns()}")
        self.folder.mkdir()
        self.addCleanup(self.folder.rmdir)
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(self.folder / "X5"))
        self.addCleanup((self.folder / "X5").unlink)
        self.addCleanup(server.close)
        server.listen()
        self.asked = []

        def answer():
            client, _ = server.accept()
            with client:
                for each in answers:
                    self.asked.append(client.recv(4096))
                    with contextlib.suppress(BrokenPipeError):  # it has heard enough
                        client.sendall(each)

        thread = Thread(target=answer, daemon=True)
        thread.start()
        self.addCleanup(thread.join, 5)
        return Display("5", self.folder)

    def test_idle(self):
        """It says how long that is; what else the server sends to everybody is passed over."""
        self.patch(x11, "_cookie", lambda number: b"cookie")
        display = self.serve(SETUP, PRESENT, idle(2500), EVENT + idle(10))
        self.assertEqual((display.idle(), display.idle()), (2.5, 0.01))
        self.assertIn(b"MIT-MAGIC-COOKIE-1\0\0cookie", self.asked[0])
        self.assertEqual(struct.unpack("<BBHI", self.asked[2]), (144, 1, 2, 77))
        display.close()

    def test_wrong(self):
        """What is refused, cut off, too long or no X11 at all: it cannot tell, and asks anew the next time."""
        refused = struct.pack("<BBHHH", 0, 9, 11, 0, 3) + b"not today\0\0\0"
        for answers, pattern in (
            ([refused], r"lets this account not in \(not today\)"),
            ([b""], "cannot be asked"),
            ([SETUP[:50]], "cannot be asked"),
            ([struct.pack("<BxHHH", 1, 11, 0, 1) + b"abcd"], "cannot be asked"),
            ([SETUP, struct.pack("<BxHIBB22x", 1, 1, 0, 0, 0)], "does not know how long"),
            ([SETUP, PRESENT, bytes([0, 9]) + bytes(30)], "refused it with error 9"),
            ([SETUP, PRESENT, EVENT * 101], "events without an end"),
            ([SETUP, PRESENT, struct.pack("<BxHI24x", 1, 1, 1 << 30)], "too long to be X11"),
        ):
            display = self.serve(*answers)
            self.assertRaisesRegex(CannotTellError, pattern, display.idle)
            self.assertIsNone(display._connection)

    def test_gone(self):
        """A display that is not there, or ends, is one that cannot be asked: nothing crashes."""
        self.assertRaisesRegex(CannotTellError, ":9 cannot be asked", Display("9", Path(self.mktemp())).idle)
        display = self.serve(SETUP, PRESENT, idle(1))
        display.idle()
        self.assertRaisesRegex(CannotTellError, "cannot be asked", display.idle)

    def test_displays(self):
        """It is that of DISPLAY, if this machine has it; else all whose sockets are there."""
        folder = Path(self.mktemp())
        self.patch(os, "environ", {"DISPLAY": ":3.0"})
        self.assertEqual(displays(folder), ["3"])
        self.patch(os, "environ", {"DISPLAY": "elsewhere:3"})
        self.assertEqual(displays(folder), [])
        folder.mkdir()
        for name in ("X0", "X11", "Xnot"):
            (folder / name).touch()
        self.assertEqual(displays(folder), ["0", "11"])

    def test_cookie(self):
        """Of the file of cookies it takes that of the display; a file that is cut off has none."""
        path = Path(self.mktemp())
        self.patch(os, "environ", {"XAUTHORITY": str(path)})
        self.assertEqual(x11._cookie("5"), b"")
        entries = b""
        for number, name, data in (
            (b"4", b"MIT-MAGIC-COOKIE-1", b"four"),
            (b"5", b"other", b"x"),
            (b"5", b"MIT-MAGIC-COOKIE-1", b"five"),
        ):
            entries += b"\1\0" + b"".join(
                struct.pack(">H", len(each)) + each for each in (b"host", number, name, data)
            )
        path.write_bytes(entries)
        self.assertEqual((x11._cookie("5"), x11._cookie("4"), x11._cookie("6")), (b"five", b"four", b""))
        path.write_bytes(entries[:-20])
        self.assertEqual(x11._cookie("5"), b"")


class TerminalTests(SynchronousTestCase):
    def setUp(self):
        self.devices = Path(self.mktemp())
        (self.devices / "pts").mkdir(parents=True)

    def type(self, name, at):
        (self.devices / name).touch()
        os.utime(self.devices / name, (at, 0))

    def test_last(self):
        """It is the latest of all terminals, consoles too."""
        self.type("tty2", 0)
        sensor = Terminals(-1, self.devices)
        self.assertEqual(sensor.last(), 0)
        self.type("pts/3", 1000)
        self.type("tty2", 2000)
        self.type("tty99", 3000)
        self.type("pts/ptmx", 4000)
        self.assertEqual(sensor.last(), 2000)

    def test_own(self):
        """One that our own builds have been given does not count; that in which the worker was started does."""
        self.type("pts/3", 1000)
        for table, last in (
            (
                {
                    10: Process(1, 10, 7, "", 0),
                    11: Process(10, 11, 0, "", 0),
                    12: Process(11, 11, (self.devices / "pts/3").stat().st_rdev, "", 0),
                },
                0,
            ),
            ({10: Process(1, 10, 0, "", 0), 11: Process(10, 10, 0, "", 0)}, 1000),
        ):
            self.patch(terminals, "snapshot", lambda oldest, table=table: Snapshot(0, 0, table))
            self.assertEqual(Terminals(10, self.devices).last(), last)

    def test_none(self):
        """A machine without terminals says so."""
        self.assertRaisesRegex(CannotTellError, "no terminals", Terminals(-1, self.devices / "x").last)


class WaysTests(SynchronousTestCase):
    """All ways together."""

    def setUp(self):
        self.sensor = Used(ways=used.WAYS)
        self.patch(used, "displays", list)
        self.patch(used, "hasBus", lambda: False)
        self.last(time.time() - 3600)

    def last(self, instant):
        self.patch(self.sensor._terminals, "last", lambda: instant)

    def test_nobody(self):
        """It says since when nobody was there, by which ways that is known, and which cannot tell."""
        self.patch(used, "hasBus", lambda: True)
        self.patch(bus, "find_spec", lambda _: None)
        reading = self.sensor.look()
        self.assertFalse(reading.away)
        self.assertRegex(
            reading.text,
            r"^nobody has used it since (?:yesterday )?\d\d:\d\d \(terminals\); logind needs the package jeepney: pip install",
        )
        self.assertLess(abs(reading.last - (time.time() - 3600)), 5)

    def test_somebody(self):
        """Whoever was seen by one of the ways is there."""
        self.patch(used, "hasBus", lambda: True)
        self.patch(self.sensor._logind, "since", lambda: None)
        reading = self.sensor.look()
        self.assertEqual((reading.away, reading.text), (True, "somebody uses the machine"))
        self.patch(self.sensor._logind, "since", lambda: time.time() - 60)
        reading = self.sensor.look()
        self.assertEqual((reading.away, round(time.time() - reading.last)), (False, 60))
        self.last(time.time() - 1)
        self.assertTrue(self.sensor.look().away)

    def test_future(self):
        """A terminal that was read from in the future, before the clock was set back, does not count."""
        self.last(time.time() + 3600)
        self.assertFalse(self.sensor.look().away)

    def test_blind(self):
        """Where no way can tell, it cannot: with the reasons of each."""
        sensor = Used(ways=("x11", "logind"))
        self.patch(used, "displays", lambda: ["999"])
        self.assertRaisesRegex(CannotTellError, "display :999 cannot be asked", sensor.look)
        self.patch(used, "displays", list)
        sensor = Used(ways=("x11", "logind"))
        self.assertRaisesRegex(CannotTellError, r"nothing is there to ask \(x11, logind\)", sensor.look)

    def test_reading(self):
        """A reading is made of some looks; who comes, or has gone, is said at once."""
        slept = []
        self.patch(used.time, "sleep", slept.append)
        self.assertFalse(self.sensor.read().away)
        self.assertEqual(slept, [])
        self.assertFalse(self.sensor.read().away)
        self.assertEqual(len(slept), 8)
        self.assertLess(slept[0] + self.sensor.every, 2)
        self.last(time.time())
        self.assertTrue(self.sensor.read().away)
        self.last(time.time() - 3600)
        self.assertFalse(self.sensor.read().away)
        self.assertEqual(len(slept), 10)

    def test_bus(self):
        """A bus that is not there is asked again half a minute later, not every second."""
        self.patch(os, "environ", {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.mktemp()}"})
        asked = []
        self.patch(logind, "_Bus", lambda: asked.append(1) or (_ for _ in ()).throw(OSError("gone")))
        hint = Logind()
        for _ in range(3):
            self.assertRaisesRegex(CannotTellError, r"logind cannot be asked \(gone\)", hint.since)
        self.assertEqual(len(asked), 1)
