"""`presence roll`, one machine after the other."""

import json
from pathlib import Path

from presence.commands import ancestry
from presence.commands.rolling.state import Roll, StateFile, Step
from tests.commands.master.admincase import HOUR, NOW, hold, worker
from tests.commands.rolling.rollcase import COMMAND, RollTestCase


class RollTests(RollTestCase):
    def test_roll(self):
        """Each is drained, its command runs, and it is released when it has been well for a while; then the next one."""
        status, lines, err = self.roll("mac-*", "--reason", "12.4", *COMMAND)
        self.assertEqual((status, err), (0, ""))
        self.assertEqual(
            lines,
            [
                "mac-mini: rolling 1 of 2: 12.4, draining",
                "mac-mini: drained, runs ssh mac-mini sudo apt-get -y upgrade && sudo reboot",
                "mac-mini: exit status 0, is waited for",
                "mac-mini: done, 1 of 2",
                "mac-pro: rolling 2 of 2: 12.4, draining",
                "mac-pro: drained, runs ssh mac-pro sudo apt-get -y upgrade && sudo reboot",
                "mac-pro: exit status 0, is waited for",
                "mac-pro: done, 2 of 2",
                "all 2 are done",
            ],
        )
        self.assertEqual(
            self.orders(),
            [
                ("mac-mini", "drain", "rolling 1 of 2: 12.4"),
                ("mac-mini", "release", None),
                ("mac-pro", "drain", "rolling 2 of 2: 12.4"),
                ("mac-pro", "release", None),
            ],
        )
        # ten seconds each
        self.assertGreaterEqual(self.now, NOW + 20)
        self.assertFalse(self.state.exists())

    def test_json(self):
        """For programs: each line with its instant."""
        status, out, _ = self.run_("roll", "--state", str(self.state), "mac-mini", "--json", *COMMAND)
        first, *_, last = map(json.loads, out.splitlines())
        self.assertEqual((status, last["text"]), (0, "all 1 are done"))
        self.assertGreaterEqual(last["at"], first["at"])

    def test_whatRuns(self):
        """Nothing is run before nothing runs there; at the deadline that is interrupted."""
        self.master.workers["mac-mini"]["running"] = 1
        self.steps = [lambda: self.assertEqual(self.jobs, [])] * 3
        self.steps.append(lambda: self.master.workers["mac-mini"]["drain"].update(state="drained"))
        self.assertEqual(self.roll("mac-mini", "--deadline", "2h", *COMMAND)[0], 0)
        self.assertEqual(self.master.posted()[0][2]["deadline"], NOW + 2 * HOUR)
        self.assertEqual(len(self.jobs), 1)

    def test_atMost(self):
        """So many at a time."""
        self.status = {"mac-mini": None, "mac-pro": None}
        self.wait(3)
        self.steps.append(lambda: self.assertEqual(len(self.jobs), 2))
        self.steps.append(lambda: [setattr(job, "status", 0) for job in self.jobs])
        self.assertEqual(self.roll("mac-*", "--at-most", "2", *COMMAND)[0], 0)

    def test_fails(self):
        """At the first failure it stops, holds the worker and says why; it tries again, or leaves it out, when it is resumed."""
        self.status = {"mac-mini": 7}
        status, lines, err = self.roll("mac-*", *COMMAND)
        self.assertEqual(status, 3)
        self.assertIn("mac-mini: | no space left", lines)
        self.assertIn("stopped, 2 of 2 are not done: mac-mini (exit status 7)", err)
        self.assertEqual(self.orders()[-1], ("mac-mini", "hold", "rolling 1 of 2 has failed: exit status 7"))
        self.assertEqual(self.steps_of(), ["failed", "waiting"])
        status, _, err = self.roll("--resume")
        self.assertEqual((status, len(self.jobs)), (3, 2))
        status, lines, err = self.roll("--resume", "--skip", "mac-mini")
        self.assertEqual((status, err, lines[-1]), (0, "", "all 2 are done"))
        self.assertEqual([each["source"] for each in self.master.workers["mac-mini"]["holds"]], ["admin"])

    def test_cannotStart(self):
        """A command that cannot be started is a failure, and so is one that a signal has ended."""
        for status, said in (
            (OSError(2, "No such file"), "the command cannot be started"),
            (-9, "ended by signal 9"),
        ):
            self.status = {"mac-mini": status}
            self.assertEqual(self.roll("mac-mini", *COMMAND)[0], 3)
            self.assertIn(said, self.orders()[-1][2])
            self.state.unlink()

    def test_ok(self):
        """Another exit status may be good: that of an ssh whose machine has gone."""
        self.status = {"mac-mini": 255}
        self.assertEqual(self.roll("mac-mini", "--ok", "255", *COMMAND)[0], 0)

    def test_back(self):
        """It is released when it is connected again, and nothing else of the master holds it; that it is on a break is no matter."""

        def set_(connected, *sources):
            found = self.master.workers["mac-mini"]
            found["connected"] = connected
            found["holds"] = [hold(each) for each in sources]

        self.steps = [
            lambda: set_(False, "offline", "admin"),
            lambda: set_(True, "quarantine", "admin"),
            lambda: set_(True, "break", "admin"),
        ]
        self.wait(20)
        status, lines, _ = self.roll("mac-mini", "--reboots", *COMMAND)
        self.assertEqual(status, 0, lines)
        self.assertGreaterEqual(self.now, NOW + 11.5)

    def test_settles(self):
        """It has to be well all the time: when it goes once more the time begins again."""

        def set_(*sources):
            self.master.workers["mac-mini"]["holds"] = [hold(each) for each in sources]

        self.wait(12)
        self.steps += [lambda: set_("offline", "admin"), lambda: set_("admin")]
        self.assertEqual(self.roll("mac-mini", *COMMAND)[0], 0)
        self.assertGreaterEqual(self.now, NOW + 17)

    def test_notBack(self):
        """One that is not back in time has failed; one that was to be started again and never went, too."""
        self.steps = [
            lambda: self.master.workers["mac-mini"].update(connected=False, holds=[hold("offline")])
        ]
        self.assertEqual(self.roll("mac-mini", "--back-within", "30m", *COMMAND)[0], 3)
        self.assertIn("it is not back: offline", self.orders()[-1][2])
        self.assertGreaterEqual(self.now, NOW + 1800)
        self.state.unlink()
        self.master.workers["mac-mini"].update(connected=True, holds=[])
        self.assertEqual(self.roll("mac-mini", "--back-within", "30m", "--reboots", *COMMAND)[0], 3)
        self.assertIn("it has not been seen to go", self.orders()[-1][2])

    def test_released(self):
        """When somebody has released it, nothing is run on it."""
        self.master.workers["mac-mini"]["running"] = 1
        self.steps = [lambda: self.master.workers["mac-mini"].update(drain=None, holds=[])]
        status, _, err = self.roll("mac-mini", *COMMAND)
        self.assertEqual((status, self.jobs, len(self.orders())), (3, [], 1))
        self.assertIn("somebody has released it", err)

    def test_floor(self):
        """What a floor refuses waits until it does so no longer, and is said once."""
        self.master.floor = "2 of 3 workers of runtests are to stay ready (keepReady), and it would leave 1"
        self.wait(30)
        self.steps.append(lambda: setattr(self.master, "floor", None))
        status, lines, _ = self.roll("mac-mini", *COMMAND)
        self.assertEqual((status, lines[0]), (0, f"mac-mini waits: {self.master.floor or lines[0][16:]}"))
        self.assertEqual(len([line for line in lines if "waits" in line]), 1)
        # asked every five seconds
        self.assertEqual(len([each for each in self.orders() if each[1] == "drain"]), 5)

    def test_otherRefusal(self):
        """What is refused for another reason is a failure."""
        self.master.floor = "you need to have role admins"
        status, _, err = self.roll("mac-mini", *COMMAND)
        self.assertEqual((status, self.jobs), (3, []))
        self.assertIn("role admins", err)

    def test_notConfirmed(self):
        """Where another master has not confirmed a drain yet, it is not shown yet, and is waited for."""
        follow = self.master.follow

        def followed(worker, method, params):
            after = follow(worker, method, params)
            drain = after["drain"]
            if method == "drain":
                after["drain"] = None
                self.wait(100)
                self.steps.append(lambda: after.update(drain=drain))
            return after

        self.master.follow = followed
        order = {"heeded": False, "not_confirmed": ["b"], "text": "stored"}
        self.master.acknowledged["mac-mini"] = {"order": order}
        self.assertEqual(self.roll("mac-mini", *COMMAND)[0], 0)

    def test_inside(self):
        """Of a worker on which this is itself a step of a build, that is said at once, and it is let go."""
        basedir = Path(self.mktemp()).resolve()
        basedir.mkdir()
        (basedir / "buildbot.tac").touch()
        self.patch(ancestry, "lineage", lambda: [(75, str(basedir))])
        build = {"buildid": 7, "number": 12, "builder": "update", "worker": "mac-pro"}
        self.master.running = [build, {**build, "buildid": 9, "worker": "mac-mini"}]
        self.master.inside = [7]
        status, _, err = self.roll("mac-*", *COMMAND)
        self.assertEqual((status, len(self.jobs)), (3, 1))
        self.assertIn("mac-pro (this is part of update #12, which runs on it and so would never end)", err)
        self.assertEqual(self.orders()[-1][:2], ("mac-pro", "release"))

    def test_check(self):
        """A builder of that worker alone has to succeed on it."""
        self.master.workers["mac-mini"] = worker("mac-mini", 1, builders=(1, 9))
        self.master.builders.append({**self.master.builders[0], "builderid": 9, "name": "smoke-mac-mini"})
        request = {"buildrequestid": 5, "complete": False, "results": -1}
        self.master.more = {
            "forceschedulers": [{"name": "force", "builder_names": ["smoke-mac-mini"]}],
            "buildrequests/5": [request],
        }
        self.patch(self.master, "post", self.posts(self.master.post))
        for results, status in ((0, 0), (2, 3)):
            request.update(complete=False)
            self.wait(25)
            self.steps.append(lambda results=results: request.update(complete=True, results=results))
            found, lines, err = self.roll("mac-mini", "--check", "smoke-{worker}", *COMMAND)
            self.assertEqual(found, status, err)
            self.assertIn("mac-mini: released, tries smoke-mac-mini", lines)
        self.assertIn("smoke-mac-mini has not succeeded on it (request 5)", err)
        self.assertEqual(self.master.workers["mac-mini"]["holds"][0]["source"], "admin")
        self.state.unlink()
        # a builder of others, too; one that is not there
        for builder, said in (
            ("runtests", "it may be built on mac-pro, too"),
            ("nobody", "has no builder of this name"),
        ):
            self.assertIn(said, self.roll("mac-mini", "--check", builder, *COMMAND)[2])
            self.state.unlink()

    def posts(self, post):
        def answer(path, call, headers):
            if path.startswith("forceschedulers/"):
                self.assertEqual(call["params"]["builderid"], "9")
                return 200, {}, json.dumps({"result": [3, {"9": 5}]}).encode()
            return post(path, call, headers)

        return answer

    def test_usage(self):
        """What cannot be meant is a usage error, and nothing is ordered."""
        for arguments, said in (
            (("mac-*",), "say what to run after --"),
            (("mac-*", "--"), "say what to run after --"),
            ((*COMMAND,), "name the workers, as in `presence roll mac-mini`"),
            (("--resume",), "there is no roll to go on with"),
            (("mac-*", "--skip", "x", *COMMAND), "--skip goes with --resume"),
            (("mac-*", "--at-most", "0", *COMMAND), "'0' is not a number of workers"),
            (("mac-*", "--ok", "256", *COMMAND), "'256' is not an exit status"),
        ):
            status, _, err = self.roll(*arguments)
            self.assertEqual(status, 2, err)
            self.assertIn(said, err)
        file = StateFile(self.state)
        file.save(Roll(["true"], [Step("mac-mini")]))
        self.assertIn("go on with --resume", self.roll("mac-*", *COMMAND)[2])
        self.assertIn("name no workers and no command", self.roll("mac-*", "--resume")[2])
        self.assertIn(
            "mac-mini has not failed: failed is none", self.roll("--resume", "--skip", "mac-mini")[2]
        )
        self.assertEqual(self.master.posted(), [])

    def test_strangeFile(self):
        """A file that is no roll's is refused, and stays."""
        for text in (
            "",
            "{}",
            "[]",
            '{"version": 2}',
            '{"version": 1, "workers": [{"name": "x", "state": "y"}]}',
        ):
            self.state.parent.mkdir(parents=True, exist_ok=True)
            self.state.write_text(text)
            status, _, err = self.roll("--resume")
            self.assertEqual(status, 2)
            self.assertIn("is not the file of a roll", err)
            self.assertEqual(self.state.read_text(), text)
