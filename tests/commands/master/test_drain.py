from pathlib import Path

from presence.commands import ancestry, options
from presence.commands.master import waiting
from tests.commands.master.admincase import HOUR, NOW, AdminTestCase


class DrainTests(AdminTestCase):
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
        """Time passes, and one thing happens on the master."""
        self.now += seconds
        self.steps.pop(0)()

    def build(self, **more):
        return {
            "buildid": 7,
            "number": 12,
            "builderid": 1,
            "builder": "runtests",
            "workerid": 1,
            "worker": "mac-mini",
            "started_at": NOW - 300,
            "remaining": 600,
            "waits_for": [],
            **more,
        }

    def set(self, name, state):
        """What the master tells of a worker from now on; None: it is drained no longer."""
        worker = self.master.workers[name]
        worker["drain"] = state and {**worker["drain"], "state": state}

    def test_drain(self):
        """`drain` drains those that are meant, together, and tells what became of each."""
        lines = self.done("drain", "mac-*", "--reason", "update", "--deadline", "2h")
        (posted,) = self.master.posted()
        self.assertEqual(
            posted,
            (
                "presences",
                "drain",
                {
                    "workers": ["mac-mini", "mac-pro"],
                    "reason": "update",
                    "deadline": NOW + 2 * HOUR,
                    "on_deadline": None,
                    "group": posted[2]["group"],
                },
            ),
        )
        self.assertTrue(posted[2]["group"])
        self.assertEqual(
            lines,
            [
                "06:00:00 mac-mini: draining, drain by ann (update), builds are interrupted at 08:00, 1 running",
                "06:00:00 mac-pro: drained, on a break (office hours), until 07:00; drain by ann (update)",
            ],
        )

    def test_one(self):
        """One worker alone has a group, too; the deadline may be a time, and what happens then may be said."""
        self.done("drain", "mac-mini", "--deadline", "18:00", "--on-deadline", "release")
        (posted,) = self.master.posted()
        self.assertTrue(posted[2].pop("group"))
        self.assertEqual(
            posted[2],
            {"reason": None, "deadline": NOW + 12 * HOUR, "on_deadline": "release"},
        )
        self.assertIn("given up at 18:00", self.done("workers", "mac-mini")[1])

    def test_queue(self):
        """What a floor refuses is drained when it does so no longer; without `--queue` it is refused."""
        self.master.floor = "2 of 3 workers are to stay ready (keepReady), and it would leave 1"
        status, _, err = self.run_("drain", "mac-*")
        self.assertEqual((status, err), (1, f"presence: {self.master.floor}\n"))
        self.steps = [lambda: None, lambda: setattr(self.master, "floor", None)]
        status, out, err = self.run_("drain", "mac-*", "--queue")
        self.assertEqual((status, err.count("mac-mini waits: 2 of 3")), (0, 1))
        self.assertEqual([line.split()[1] for line in out.splitlines()], ["mac-mini:", "mac-pro:"])
        groups = {params["group"] for _, _, params in self.master.posted()[1:]}
        self.assertEqual((len(self.master.posted()), len(groups)), (7, 1))
        self.master.floor = "you may not"
        self.assertEqual(self.run_("drain", "mac-*", "--queue")[0], 1)

    def test_workers(self):
        """`workers` tells who is draining, and who is drained."""
        self.done("drain", "mac-*")
        rows = [line.split()[:2] for line in self.done("workers")]
        self.assertEqual(
            rows,
            [["WORKER", "STATE"], ["mac-mini", "draining"], ["mac-pro", "drained"], ["plain", "available"]],
        )

    def test_mistakes(self):
        """What makes no sense is refused before the master is asked."""
        for arguments, said in (
            ([], "name the workers, as in `presence drain mac-mini`"),
            (
                ["mac-mini", "--deadline", "soon"],
                "'soon' is not a time: write 18:00, 7pm, tomorrow 8:00, friday 8:00, next monday or 2026-12-24T18:00, or a duration such as 2h",
            ),
            (["mac-mini", "--on-deadline", "release"], "give --deadline as well"),
            (["mac-mini", "--deadline", "1h", "--on-deadline", "panic"], "invalid choice"),
            (["nobody"], "there is no worker nobody"),
        ):
            status, _, err = self.run_("drain", *arguments)
            self.assertEqual(status, 2)
            self.assertIn(said, err)
        self.assertEqual(self.master.posted(), [])

    def test_notWaitedFor(self):
        """When one of them could not be drained the others are not waited for."""
        status, _, err = self.run_("drain", "plain", "mac-mini", "--wait")
        self.assertEqual(status, 1)
        self.assertIn("plain is one of Buildbot's own", err)

    def test_wait(self):
        """`--wait` tells whom it waits for, for how long, and when that changes; and ends when nothing runs."""
        self.master.running = [self.build(), self.build(buildid=8, worker="other")]
        child = {"buildrequestid": 4, "builderid": 2, "builder": "mac only", "running": False}
        self.steps = [
            lambda: None,
            lambda: self.master.running.append(
                self.build(buildid=9, builder="all", remaining=None, waits_for=[child], started_at=NOW - HOUR)
            ),
            lambda: self.set("mac-mini", "drained"),
        ]
        self.assertEqual(
            self.done("drain", "mac-mini", "--wait")[1:],
            [
                "waiting for 1 build",
                "  runtests #12 on mac-mini, for 5 min now, about 10 min to go",
                "waiting for 2 builds",
                "  runtests #12 on mac-mini, for 5 min 2 s now, about 10 min to go",
                "  all #12 on mac-mini, for 1 h now, waits for mac only, which has not begun",
                "nothing runs there any more",
            ],
        )

    def test_notYetShown(self):
        """A master that does not know yet of the drain that it has taken, or tells of an earlier one, is asked again."""
        follow = self.master.follow

        def late(found, method, params):
            after = follow(found, method, params)
            drain = after["drain"]
            after["drain"] = {**drain, "state": "drained", "group": "an earlier one"}

            def shown():
                self.master.workers["mac-mini"]["drain"] = {**drain, "state": "draining"}

            self.steps = [lambda: None, shown, lambda: self.set("mac-mini", "drained")]
            return after

        self.master.follow = late
        self.assertEqual(self.done("drain", "mac-mini", "--wait")[-1], "nothing runs there any more")
        self.assertEqual(self.steps, [])

    def test_neverShown(self):
        """One that never shows it has given it up, after some seconds."""
        follow = self.master.follow

        def forget(found, method, params):
            after = follow(found, method, params)
            self.set(after["name"], None)
            return after

        self.master.follow = forget
        self.steps = [lambda: None] * 10
        status, _, err = self.run_("drain", "mac-mini", "--wait")
        self.assertEqual((status, self.steps), (3, []), err)

    def test_reminder(self):
        """When nothing changes, it is told again once a minute."""
        self.master.running = [self.build()]
        self.steps = [lambda: None] * 61 + [lambda: self.set("mac-mini", "drained")]
        lines = self.done("drain", "mac-mini", "--wait")
        self.assertEqual(lines.count("waiting for 1 build"), 2)

    def test_released(self):
        """Somebody ends the drain, or its deadline does: the status is 3, when nobody is draining any more."""
        self.steps = [
            lambda: self.set("mac-pro", None),
            lambda: self.set("mac-mini", "drained"),
            *[lambda: None] * 9,
        ]
        status, _, err = self.run_("drain", "mac-*", "--wait")
        self.assertEqual((status, self.steps), (3, []))
        self.assertIn("not drained: they were released, or their deadline has come: mac-pro", err)

    def test_restart(self):
        """A master that is restarted meanwhile is waited for; one that stays away is given up."""
        self.steps = [
            lambda: setattr(self.master, "broken", 4),
            *[lambda: None] * 3,
            lambda: self.set("mac-mini", "drained"),
        ]
        status, _, err = self.run_("drain", "mac-mini", "--wait")
        self.assertEqual(status, 0)
        self.assertEqual(err.count("does not answer: reset; trying again"), 1)
        self.master.workers["mac-mini"]["running"] = 1
        self.steps = [lambda: setattr(self.master, "broken", 10_000)] + [lambda: None] * 700
        status, _, err = self.run_("drain", "mac-mini", "--wait")
        self.assertEqual(status, 1)
        self.assertGreater(self.now, NOW + 600)

    def test_stopsAndStarts(self):
        """What a master says while it stops, or has started its web server and not its workers, is not believed."""
        found = self.master.workers["mac-mini"]
        stopped = self.master.more["masters"] = [{"masterid": 1, "active": True}]

        def starts():
            self.master.workers.clear()
            stopped[0]["active"] = False

        def has_started():
            self.master.workers["mac-mini"] = found
            stopped[0]["active"] = True

        def is_draining():
            found["drain"] = drain

        self.steps = [
            # it stops: nobody is in its roster any more
            lambda: self.set("mac-mini", None),
            *[lambda: None] * 5,
            # it starts
            starts,
            *[lambda: None] * 60,
            # it has no worker of ours yet, and so no resource of ours
            lambda: self.master.more.update(presences=None),
            *[lambda: None] * 60,
            lambda: self.master.more.pop("presences"),
            has_started,
            is_draining,
            lambda: self.set("mac-mini", "drained"),
        ]
        follow = self.master.follow

        def followed(found, method, params):
            nonlocal drain
            after = follow(found, method, params)
            drain = after["drain"]
            return after

        drain = None
        self.master.follow = followed
        status, out, err = self.run_("drain", "mac-mini", "--wait")
        self.assertEqual((status, self.steps), (0, []), out + err)
        self.assertEqual(err.count("is starting; trying again"), 1)

    def test_inside(self):
        """Ordered by a step of a build that runs there, or of one that such a build waits for, it waits for the others and not for itself."""
        basedir = Path(self.mktemp()).resolve()
        basedir.mkdir()
        (basedir / "buildbot.tac").touch()
        self.patch(ancestry, "lineage", lambda: [(77, "/tmp"), (75, str(basedir))])
        other = self.build(buildid=8, worker="mac-pro", builder="docs")
        self.master.inside = [7, 9]
        self.master.workers["mac-pro"]["running"] = 1
        for order in (("mac-*",), ("mac-*", "--json")):
            self.master.running = [self.build(), other]
            self.steps = [
                lambda: self.master.running.remove(other),
                lambda: self.set("mac-pro", "drained"),
            ]
            status, _, err = self.run_("drain", *order, "--wait")
            self.assertEqual((status, self.steps), (0, []), err)
            self.assertIn("nothing else runs there any more: this is part of runtests #12", err)
            self.assertEqual(self.master.posted()[-1][2]["ancestors"], ["77 /tmp", f"75 {basedir}"])
            self.master.workers["mac-mini"]["running"] = self.master.workers["mac-pro"]["running"] = 1
        # who does not wait need not say it
        self.done("drain", "mac-mini")
        self.assertNotIn("ancestors", self.master.posted()[-1][2])

    def test_theClockIsSet(self):
        """A master is not given up because the clock is set forward while it does not answer."""

        def jump():
            self.set_forward = 24 * HOUR

        self.steps = [
            lambda: setattr(self.master, "broken", 4),
            jump,
            lambda: None,
            lambda: None,
            lambda: self.set("mac-mini", "drained"),
        ]
        status, _, _ = self.run_("drain", "mac-mini", "--wait")
        self.assertEqual(status, 0)

    def test_interrupted(self):
        """Ctrl-C ends the waiting, and it is said that the drain goes on."""

        def interrupt():
            raise KeyboardInterrupt

        self.steps = [interrupt]
        status, _, err = self.run_("drain", "mac-mini", "--wait")
        self.assertEqual(status, 130)
        self.assertIn("the drain goes on", err)

    def test_removed(self):
        """A worker that leaves the configuration is not waited for, when it has not come back for some seconds."""
        self.steps = [lambda: self.master.workers.pop("mac-mini"), *[lambda: None] * 10]
        self.assertEqual(self.done("drain", "mac-mini", "--wait")[-1], "nothing runs there any more")
