import json
import os
from pathlib import Path

from presence.worker.owner import STOPPING
from presence.worker.stopping import GRACE
from presence.worker.store import FILENAME, OLD_FILENAME, Store, StoreError
from tests.worker.fakewire import HOUR, NOW, ClientTestCase, view

AWAY = "NOT_ACCEPTING_NEW_BUILDS"


class StopTests(ClientTestCase):
    """The graceful stop."""

    def stop(self, **kwargs):
        said = self.client.owner.stopWhenIdle(**kwargs)
        name, message = self.takeMessage()
        self.assertEqual((name, message["state"], message["reason"]), ("presence_stop", AWAY, STOPPING))
        return said, message

    def assertEnds(self):
        self.assertEqual(self.reactor.stopped, 0)
        self.reactor.advance(GRACE)
        self.assertEqual(self.reactor.stopped, 1)

    def test_idle(self):
        """When the master says that nothing runs the process ends, a moment after the answer."""
        self.connect()
        said, _ = self.stop()
        self.answer(view(running=0, stopping=True))
        self.assertEqual(self.successResultOf(said)["stopping"], {"deadline": None})
        self.assertEnds()

    def test_waits(self):
        """It waits for what runs, however long."""
        self.connect()
        self.stop()
        self.answer(view(running=1, stopping=True))
        self.reactor.advance(100 * HOUR)
        self.show(view(running=0, stopping=True))
        self.assertEnds()

    def test_oldView(self):
        """A view from before the master knew of the stop ends nothing: a build may begin still."""
        self.connect()
        self.stop()
        self.show(view(running=0))
        self.reactor.advance(1)
        self.assertEqual(self.reactor.stopped, 0)
        self.answer(view(running=1, stopping=True))

    def test_back(self):
        """Back cancels it, also in the last moment."""
        self.connect()
        self.stop()
        self.answer(view(running=0, stopping=True))
        self.client.owner.back()
        self.assertEqual(self.takeMessage()[1]["state"], "AVAILABLE")
        self.answer()
        self.reactor.advance(HOUR)
        self.assertEqual(self.reactor.stopped, 0)
        self.assertIsNone(self.client.owner.status()["stopping"])

    def test_clockSetBack(self):
        """When the clock is set back as it ends, it does not end an hour later."""
        self.connect()
        self.stop(deadline=NOW + 60)
        self.answer(view(running=1, stopping=True))
        self.reactor.advance(60)
        self.reactor.rightNow -= HOUR
        self.ticker.tick()
        self.assertEnds()

    def test_deadline(self):
        """At the deadline it ends, whatever runs; the master has been told of it."""
        self.connect()
        _, message = self.stop(deadline=NOW + 60)
        self.assertEqual(message["deadline"], NOW + 60)
        self.answer(view(running=1, stopping=True))
        self.reactor.advance(59.9)
        self.assertEqual(self.reactor.stopped, 0)
        self.reactor.advance(0.1)
        self.assertEnds()

    def test_noMaster(self):
        """Without a connection nothing runs, and it ends at once."""
        self.successResultOf(self.client.owner.stopWhenIdle(NOW + 60))
        self.assertEnds()

    def test_connectionLost(self):
        """A connection that is lost in the middle takes along what ran: it ends."""
        self.connect()
        self.stop()
        self.answer(view(running=1, stopping=True))
        self.disconnect()
        self.assertEnds()

    def test_notKept(self):
        """The process that is started next accepts builds; and an away that was said before is still there."""
        self.connect()
        self.stop()
        self.answer(view(running=1, stopping=True))
        self.restart()
        self.assertEqual(self.sources(), [])
        self.client.owner.away("rendering")
        self.connect()
        self.stop()
        self.answer(view(running=1, stopping=True))
        self.restart()
        self.assertEqual(self.client.owner.status()["holds"][0]["reason"], "rendering")

    def test_stockMaster(self):
        """At a master that knows no presence it is refused, as nobody would know when builds are done."""
        self.greet()
        self.transport.listener.attached()
        error = self.failureResultOf(self.client.owner.stopWhenIdle(), ValueError).value
        self.assertIn("graceful", str(error))
        self.assertEqual(self.sources(), [])

    def test_stockMasterLater(self):
        """If that turns out later, the stop is off."""
        self.greet()
        said = self.client.owner.stopWhenIdle()
        self.transport.listener.attached()
        self.assertIsNone(self.successResultOf(said)["stopping"])
        self.assertEqual(self.sources(), [])

    def test_localWorker(self):
        """A worker in the process of its master cannot end that."""
        self.transport.ownsProcess = False
        error = self.failureResultOf(self.client.owner.stopWhenIdle(), ValueError).value
        self.assertIn("lives in the process of its master", str(error))

    def test_again(self):
        """A stop that is asked for again gets the new deadline."""
        self.connect()
        self.stop(deadline=NOW + 60)
        self.answer(view(running=1, stopping=True))
        self.stop()
        self.answer(view(running=1, stopping=True))
        self.reactor.advance(HOUR)
        self.assertEqual(self.reactor.stopped, 0)


class StoreTests(ClientTestCase):
    """The file in the base directory."""

    @property
    def path(self):
        return Path(self.basedir, FILENAME)

    def test_private(self):
        """Only the account of the worker may read it, whatever its umask is."""
        if os.name != "posix":
            return
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        self.client.owner.away("rendering")
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)

    def test_killedInBetween(self):
        """Killed at any instant of writing, there is the old wish or the new one."""
        self.client.owner.away("old")
        before = self.path.read_bytes()

        def killed(*args, **kwargs):
            raise KeyboardInterrupt

        for module, name in ((os, "open"), (os, "fdopen"), (os, "fsync"), (os, "replace")):
            patched = self.patch(module, name, killed)
            self.assertRaises(KeyboardInterrupt, self.client.owner.away, "new")
            patched.restore()
            self.assertEqual(self.path.read_bytes(), before)
        self.restart()
        self.assertEqual(self.client.owner.status()["holds"][0]["reason"], "old")
        self.client.owner.away("new")
        self.assertIn("new", self.path.read_text())
        self.assertEqual([path.name for path in self.path.parent.iterdir()], [FILENAME])

    def test_wrongContent(self):
        """What is no wish is an error that names the file."""
        away = {"reason": None, "by": None, "since": NOW, "until": None}
        for content in (
            "",
            "[]",
            "{}",
            "\x00",
            '{"version": 2, "away": null}',
            '{"version": 1}',
            json.dumps({"version": 1, "away": 7}),
            json.dumps({"version": 1, "away": {**away, "since": None}}),
            json.dumps({"version": 1, "away": {**away, "until": "noon"}}),
            json.dumps({"version": 1, "away": {**away, "reason": 1}}),
            json.dumps({"version": 1, "away": {**away, "reason": "\ud800"}}),
            json.dumps({"version": 1, "away": {**away, "by": "\x1b[2J"}}),
            json.dumps({"version": 1, "away": {**away, "by": "\ud800"}}),
            json.dumps({"version": 1, "away": {**away, "by": "x" * 129}}),
            '{"version": 1, "away": null, "work_until": NaN}',
            '{"version": 1, "away": null, "workUntil": NaN}',
            "[" * 30000,
        ):
            self.path.write_text(content)
            error = self.assertRaises(StoreError, Store(self.basedir).load)
            self.assertIn(str(self.path), str(error))

    def test_notRegular(self):
        """A link that leads nowhere, a directory or a FIFO is not "nothing said", and nothing waits for a writer."""
        for make in (lambda path: path.symlink_to("nowhere"), Path.mkdir, os.mkfifo):
            path = Path(self.mktemp())
            path.mkdir()
            make(path / FILENAME)
            self.assertRaises(StoreError, Store(str(path)).load)

    def test_oldName(self):
        """What an older version has kept under its own names is taken over, once."""
        self.client.owner.away("rendering")
        self.client.owner.workAnyway(NOW + HOUR)
        old = self.path.with_name(OLD_FILENAME)
        old.write_text(self.path.read_text().replace("work_until", "workUntil"))
        self.path.unlink()
        self.restart()
        self.assertEqual(self.client.owner.status()["work_until"], NOW + HOUR)
        self.assertEqual(self.client.owner.status()["holds"][0]["reason"], "rendering")
        self.assertEqual([path.name for path in self.path.parent.iterdir()], [FILENAME])
        old.write_text("{")  # of somebody else: it counts no more
        self.restart()
        self.assertEqual(self.sources(), ["worker"])

    def test_oldNameUnreadable(self):
        """What an older version has kept and nobody can read keeps the worker away, as what is kept now."""
        self.path.with_name(OLD_FILENAME).write_text("{")
        self.restart()
        self.assertEqual(self.sources(), ["worker"])
