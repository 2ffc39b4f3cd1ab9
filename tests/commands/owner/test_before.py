import io
import json
import os
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from presence.commands.exits import DONE, FAILED, NOT_RUNNING, NOT_TOLD, REFUSED, USAGE
from presence.commands.main import main
from presence.commands.owner import orders
from presence.files import Lock
from presence.worker.store import NOTHING, Store


class BeforeTestCase(SynchronousTestCase):
    def setUp(self):
        self.farm = Path(self.mktemp())
        self.basedir = self.worker("one")

    def worker(self, name, tac="PresenceClient(s).setServiceParent(application)"):
        """A worker that does not run."""
        basedir = self.farm / name
        basedir.mkdir(parents=True)
        (basedir / "buildbot.tac").write_text(tac)
        return basedir

    def run_(self, *argv):
        """The exit status, and what was said."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            status = main([str(each) for each in argv])
        return status, out.getvalue(), err.getvalue()

    def say(self, *argv):
        return self.run_(*argv, "--basedir", self.basedir)

    @property
    def wish(self):
        return Store(str(self.basedir)).load()


class BeforeTests(BeforeTestCase):
    """What is said to a worker that does not run is kept for its start."""

    def test_away(self):
        """Away, with reason and end, and back again; it says that the worker does not run."""
        status, out, _ = self.say("away", "--reason", "rendering", "--for", "2h")
        self.assertEqual(status, NOT_TOLD)
        self.assertRegex(out, r"does not run; from its start on it is away \(rendering\), until ")
        away = self.wish.away
        self.assertEqual((away.reason, away.by, round(away.until - away.since)), ("rendering", "owner", 7200))
        self.say("away")
        self.assertEqual((self.wish.away.reason, self.wish.away.since), (None, away.since))
        status, out, _ = self.say("back")
        self.assertEqual((status, "accepts builds" in out, self.wish), (NOT_TOLD, True, NOTHING))

    def test_work(self):
        """Work likewise; how long has to be said."""
        status, out, _ = self.say("work", "--for", "2h", "--json")
        self.assertEqual((status, json.loads(out)["away"]), (NOT_TOLD, None))
        self.assertGreater(self.wish.workUntil, 0)
        self.assertEqual(self.say("work")[0], USAGE)
        self.assertEqual((self.say("work", "--end")[0], self.wish), (NOT_TOLD, NOTHING))

    def test_private(self):
        """Only the account of the worker may read it, whoever has said it."""
        self.say("away")
        found = (self.basedir / "presence-owner.json").stat()
        self.assertEqual((found.st_mode & 0o777, found.st_uid), (0o600, self.basedir.stat().st_uid))

    def test_ofTheDirectory(self):
        """Root says it in the directory of another account, to which the file belongs then."""
        if os.geteuid() != 0:
            self.skipTest("only root can be somebody else")
        os.chown(self.basedir, 65534, 65534)
        self.say("away")
        self.assertEqual((self.basedir / "presence-owner.json").stat().st_uid, 65534)

    def test_refused(self):
        """What is not right is refused, and nothing is kept."""
        status, _, err = self.say("away", "--reason", "x" * 513)
        self.assertEqual((status, "at most 512" in err, self.wish), (REFUSED, True, NOTHING))

    def test_begins(self):
        """A worker that begins or ends at that moment may have read the file already: it is to be said again."""
        lock = Lock(self.basedir)
        lock.acquire()
        self.addCleanup(lock.release)
        status, _, err = self.say("away")
        self.assertEqual((status, "say it again" in err, self.wish), (FAILED, True, NOTHING))

    def test_unlike(self):
        """Nothing is kept for a worker that would not take it up, and nothing else is done to one that does not run."""
        for tac in ("PresenceClient(s, localPort=None)", "s = Worker()"):
            (self.basedir / "buildbot.tac").write_text(tac)
            self.assertEqual((self.say("away")[0], self.wish), (NOT_RUNNING, NOTHING))
        (self.basedir / "buildbot.tac").write_text("PresenceClient(s)")
        for argv in (["status"], ["stop"], ["open"]):
            self.assertEqual(self.say(*argv)[0], NOT_RUNNING)


class AllTests(BeforeTestCase):
    """With --all an order is for every worker of the machine."""

    def setUp(self):
        super().setUp()
        self.worker("two")
        self.worker("three", tac="s = Worker()")

    def away(self):
        return [bool(Store(str(self.farm / name)).load().away) for name in ("one", "two", "three")]

    def test_below(self):
        """All that have a presence in the directories below, and in those that are named, each once."""
        status, out, _ = self.run_("away", "--all", "--basedir", self.farm)
        self.assertEqual((status, out.count("it is away"), self.away()), (NOT_TOLD, 2, [True, True, False]))
        self.run_("back", "--all", "--basedir", self.basedir, "--basedir", self.farm)
        self.assertEqual(self.away(), [False, False, False])

    def test_environment(self):
        """PRESENCE_BASEDIR may name several."""
        named = os.pathsep.join(str(self.farm / name) for name in ("one", "two"))
        self.patch(os, "environ", {**os.environ, "PRESENCE_BASEDIR": named})
        self.run_("away", "--all")
        self.assertEqual(self.away(), [True, True, False])

    def test_none(self):
        """Where there is none it is said where was looked."""
        status, _, err = self.run_("away", "--all", "--basedir", self.farm / "three")
        self.assertEqual(
            (status, f"no worker with a presence is in {self.farm / 'three'}" in err), (USAGE, True)
        )

    def test_together(self):
        """All are ordered before any is waited for; the exit status is the first that is not 0."""
        done = []

        class Client:
            def __init__(self, basedir):
                self.basedir = basedir

        def order(options, client):
            done.append(("ordered", client.basedir.name))

            def rest():
                done.append(("waited", client.basedir.name))
                return DONE if client.basedir.name == "one" else FAILED

            return rest

        self.patch(orders, "LocalClient", Client)
        self.patch(orders, "_stop", order)
        self.assertEqual(self.run_("stop", "--all", "--basedir", self.farm)[0], FAILED)
        self.assertEqual(done, [(what, name) for what in ("ordered", "waited") for name in ("one", "two")])
