"""The file of the trail may be full, read-only, or hang; and it is bounded."""

import os
import threading
from pathlib import Path

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from presence import files
from presence.master.trail.background import Background
from presence.master.trail.store import FILENAME, FILES, TrailStore, toLine
from presence.master.trail.writer import HANGS, LAST, MOST_WAITING, Writer


class StoreTests(SynchronousTestCase):
    def setUp(self):
        self.directory = Path(self.mktemp())
        self.directory.mkdir()
        self.store = TrailStore(self.directory, 4000)

    def write(self, *numbers):
        for number in numbers:
            self.store.append(toLine({"number": number, "workers": ["é"]}))

    def read(self, most=1000, text=""):
        return [each["number"] for each in self.store.read(lambda _: True, most, text)]

    def test_bounded(self):
        """It takes no more room than it may, whatever is written; what is left is the newest, the newest first."""
        self.write(*range(500))
        taken = sum(path.stat().st_size for path in self.directory.iterdir())
        self.assertLessEqual(taken, 4000)
        found = self.read()
        self.assertEqual(found, list(range(499, 499 - len(found), -1)))
        self.assertGreater(sum(len(toLine({"number": each, "workers": ["é"]})) for each in found), 2500)
        self.assertEqual(len(list(self.directory.iterdir())), FILES)
        self.assertEqual(self.read(3), [499, 498, 497])
        self.assertEqual(self.read(text='"number":498,'), [498])

    def test_killed(self):
        """What a process has left half written spoils no line but its own."""
        self.write(1)
        with (self.directory / FILENAME).open("ab") as file:
            file.write(b'{"number":')
        self.write(2)
        self.assertEqual(self.read(), [2, 1])

    def test_full(self):
        """Where the disk is full nothing is left half written."""
        self.write(1)
        really, before = os.write, (self.directory / FILENAME).read_bytes()

        def write(descriptor, content):
            if len(content) < 10:
                raise OSError(28, "No space left on device")
            return really(descriptor, content[: len(content) // 2])

        with self.assertRaises(OSError):
            patch = self.patch(files.os, "write", write)
            self.write(2)
        patch.restore()
        self.assertEqual((self.directory / FILENAME).read_bytes(), before)

    def test_strange(self):
        """A link, a pipe or a directory of that name is not written to."""
        elsewhere = self.directory / "elsewhere"
        elsewhere.touch()
        for make in (
            lambda path: path.symlink_to(elsewhere),
            lambda path: os.mkfifo(path),
            lambda path: path.mkdir(),
        ):
            path = self.directory / FILENAME
            make(path)
            self.assertRaises(OSError, self.write, 1)
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        self.assertEqual(elsewhere.read_bytes(), b"")


class WriterTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.written = []
        self.results = []
        self.writer = Writer(self.clock, self.written.append, self.run_, lambda lost: b"lost %d" % lost)

    def run_(self, function):
        """As the next of `results` says; None is done at once."""
        result = self.results.pop(0) if self.results else None
        if result is None:
            return succeed(function())
        return result.addCallback(lambda _: function())

    def test_gathers(self):
        """What comes in one turn is written at once."""
        self.writer.write(b"a")
        self.writer.write(b"b")
        self.clock.advance(0)
        self.assertEqual(self.written, [b"ab"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_fails(self):
        """What fails is tried again, in the order of before, and no timer is left when it was written."""
        self.results = [fail(OSError("full")), fail(OSError("full"))]
        self.writer.write(b"a")
        self.clock.advance(0)
        self.writer.write(b"b")
        self.clock.pump([0.5] * 4)
        self.assertEqual(b"".join(self.written), b"ab")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_bounded(self):
        """While it hangs so many wait and no more; then it is said how many were lost."""
        hanging = Deferred()
        self.results = [hanging]
        for _ in range(MOST_WAITING + 7):
            self.writer.write(b"x")
        self.clock.advance(0)
        self.clock.advance(HANGS)
        hanging.callback(None)
        self.assertEqual(b"".join(self.written), b"x" * MOST_WAITING + b"lost 7")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop(self):
        """Who stops waits for the last lines; not for a file that hangs."""
        self.writer.write(b"a")
        self.successResultOf(self.writer.stop())
        self.assertEqual(self.written, [b"a"])
        self.results = [Deferred()]
        writer = Writer(self.clock, self.written.append, self.run_, lambda _: b"")
        writer.write(b"b")
        stopped = writer.stop()
        self.assertNoResult(stopped)
        self.clock.advance(LAST)
        self.successResultOf(stopped)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class BackgroundTests(SynchronousTestCase):
    def test_thread(self):
        """It does one thing after the other, in a thread that keeps no process alive."""
        done = threading.Event()

        class Reactor:
            @staticmethod
            def callFromThread(function, *args):
                function(*args)

        background = Background(Reactor, "test")
        found = []
        background.run(lambda: threading.current_thread().daemon).addCallback(found.append)
        background.run(lambda: 1 / 0).addErrback(lambda failure: found.append(failure.type))
        background.run(lambda: None).addCallback(lambda _: done.set())
        self.assertTrue(done.wait(60))
        self.assertEqual(found, [True, ZeroDivisionError])
        background.stop()
