import json
import os
from pathlib import Path

from presence.commands import ancestry, options
from presence.commands.master import waiting
from tests.commands.master.admincase import HOUR, NOW, AdminTestCase


class StopMasterTests(AdminTestCase):
    def setUp(self):
        super().setUp()
        self.now = NOW
        self.steps = []
        self.set_forward = 0
        self.patch(waiting.time, "time", lambda: self.now + self.set_forward)
        self.patch(waiting.time, "monotonic", lambda: self.now)
        self.patch(waiting.time, "sleep", self.sleep)
        self.patch(options, "localZone", lambda: "UTC")

    def sleep(self, seconds):
        """Time passes, and one thing happens on the master; for long it does nothing but not to answer."""
        self.now += seconds
        (self.steps.pop(0) if self.steps else self.die)()

    def die(self):
        self.master.broken = 10

    def set(self, **more):
        self.master.shutdown = {**self.master.shutdown, **more}

    def test_waits(self):
        """It tells whom the master waits for, and ends when the master does not answer any more."""
        self.master.running = [
            {
                "buildid": 7,
                "masterid": 1,
                "number": 12,
                "builder": "runtests",
                "worker": "mac-mini",
                "started_at": NOW - 300,
                "remaining": 600,
                "waits_for": [],
            }
        ]
        self.steps = [lambda: None, self.master.running.clear]
        self.assertEqual(
            self.done("stop-master", "--reason", "disks", "--deadline", "2h"),
            [
                "the master stops when nothing runs; at 08:00 it goes on as before",
                "waiting for 1 build",
                "  runtests #12 on mac-mini, for 5 min now, about 10 min to go",
                "waiting for 0 builds",
                "the master has stopped",
            ],
        )
        self.assertEqual(
            self.master.posted(),
            [("shutdown", "stop", {"reason": "disks", "deadline": NOW + 2 * HOUR, "on_deadline": None})],
        )

    def test_json(self):
        """For programs: what the API says of the order, and that the master has stopped; or that it goes on."""
        ordered, stopped = map(json.loads, self.done("stop-master", "--reason", "disks", "--json"))
        self.assertEqual((ordered["state"], stopped), ("stopping", {"stopped": True}))

    def test_inside(self):
        """Ordered by a step of a build it does not wait: the master waits for that one."""
        basedir = Path(self.mktemp()).resolve()
        basedir.mkdir()
        (basedir / "buildbot.tac").touch()
        self.patch(ancestry, "lineage", lambda: [(75, str(basedir))])
        build = {"buildid": 7, "masterid": 1, "number": 12, "builder": "release", "worker": "mac-mini"}
        self.master.running = [build, {**build, "buildid": 8}]
        self.master.inside = [7]
        status, _, err = self.run_("stop-master")
        self.assertEqual(status, 0)
        self.assertIn("this is part of release #12: the master stops when that has ended", err)
        self.assertEqual(self.master.posted()[-1][2]["ancestors"], [f"75 {basedir}"])

    def test_hiccup(self):
        """A connection that is lost for a moment is not the end of the master."""
        self.steps = [self.die, lambda: setattr(self.master, "broken", 0), lambda: self.set(state="running")]
        status, out, err = self.run_("stop-master")
        self.assertEqual(status, 3)
        self.assertNotIn("has stopped", out)
        self.assertIn("the master goes on", err)

    def test_theClockIsSet(self):
        """A master that does not answer for a moment, in which the clock is set forward, has not stopped."""

        def jump():
            self.set_forward = 24 * HOUR

        self.steps = [
            self.die,
            jump,
            lambda: setattr(self.master, "broken", 0),
            lambda: self.set(state="running"),
        ]
        status, out, _ = self.run_("stop-master")
        self.assertEqual(status, 3)
        self.assertNotIn("has stopped", out)

    def test_detach(self):
        """--detach does not wait."""
        lines = self.done("stop-master", "--detach", "--deadline", "1h", "--on-deadline", "interrupt")
        self.assertEqual(lines, ["the master stops when nothing runs; at 07:00 it interrupts what does"])

    def test_cancel(self):
        """--cancel lets the master go on."""
        self.done("stop-master", "--detach")
        self.assertEqual(self.done("stop-master", "--cancel"), ["the master goes on"])
        self.assertEqual(self.master.shutdown["state"], "running")

    def test_directory(self):
        """The master may be named by its directory, as for `presence reconfig`."""
        directory = Path(self.mktemp())
        directory.mkdir()
        status, _, err = self.run_("stop-master", str(directory), url=None)
        self.assertEqual(status, 2)
        self.assertIn("is not a master's directory", err)
        (directory / "buildbot.tac").touch()
        note = {"url": "https://farm.example/bb/", "pid": os.getpid()}
        (directory / "presence-master.json").write_text(json.dumps(note))
        os.environ["PRESENCE_URL"] = "https://elsewhere.example/"
        self.done("stop-master", str(directory), "--detach", url=None)
        self.assertEqual(set(self.connections), {"farm.example"})

    def test_mistakes(self):
        """What makes no sense is refused before the master is asked."""
        for arguments, said in (
            (["--on-deadline", "abort"], "give --deadline as well"),
            (["--cancel", "--deadline", "1h"], "--cancel needs no --deadline"),
            (["--deadline", "soon"], "or a duration such as 2h"),
        ):
            status, _, err = self.run_("stop-master", *arguments)
            self.assertEqual(status, 2)
            self.assertIn(said, err)
        self.assertEqual(self.master.requests, [])

    def test_interrupted(self):
        """Ctrl-C ends the waiting, and it is said that the master stops all the same."""

        def interrupt():
            raise KeyboardInterrupt

        self.steps = [interrupt]
        status, _, err = self.run_("stop-master")
        self.assertEqual(status, 130)
        self.assertIn("stop-master --cancel", err)

    def test_other(self):
        """--of is about another master of the farm, which is asked by this one, until that one does not run any more."""
        masters = [
            {"masterid": number, "name": f"{name}:/srv/master", "active": True}
            for number, name in ((1, "a"), (2, "b"))
        ]
        self.master.more = {"masters": masters, "masters/2/shutdown": [{"masterid": 2, "state": "stopping"}]}

        def silent():
            del self.master.more["masters/2/shutdown"]

        def stopped():
            masters[1]["active"] = False

        self.steps = [lambda: None, silent, stopped]
        lines = self.done("stop-master", "--of", "b:*", "--reason", "disks")
        self.assertEqual(lines[-1], "the master has stopped")
        paths = [path for method, path, _ in self.master.requests if method == "POST"]
        self.assertEqual(paths, ["/bb/api/v2/masters/2/shutdown"])
        for name, said in (
            ("c:*", "there is no master c:*"),
            ("*", "may be any of a:/srv/master, b:/srv/master"),
        ):
            status, _, err = self.run_("stop-master", "--of", name)
            self.assertEqual(status, 2)
            self.assertIn(said, err)
