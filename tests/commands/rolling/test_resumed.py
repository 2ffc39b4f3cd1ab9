"""`presence roll` that is killed, or whose master goes, or that goes with its master: it goes on where it was."""

from tests.commands.master.admincase import hold
from tests.commands.rolling.rollcase import COMMAND, RollTestCase


class ResumedTests(RollTestCase):
    def test_killed(self):
        """Whatever ends it: it goes on where it was, and what was running runs again."""
        self.status = {"mac-mini": None}

        def interrupted():
            raise KeyboardInterrupt

        self.wait(2)
        self.steps.append(interrupted)
        status, _, err = self.roll("mac-*", *COMMAND)
        self.assertEqual((status, self.jobs[0].killed), (130, True))
        self.assertIn("`presence roll --resume` goes on", err)
        self.assertEqual(self.steps_of(), ["running", "waiting"])
        self.assertEqual(self.state.stat().st_mode & 0o777, 0o600)
        self.status = {}
        status, lines, _ = self.roll("--resume")
        self.assertEqual((status, lines[-1]), (0, "all 2 are done"))
        self.assertEqual([each.arguments[1] for each in self.jobs], ["mac-mini", "mac-mini", "mac-pro"])
        # it was drained still
        self.assertEqual([each[1] for each in self.orders()], ["drain", "release", "drain", "release"])

    def test_masterAway(self):
        """While the master does not answer it is asked again."""
        self.status = {"mac-mini": None}
        self.wait(2)
        self.steps.append(lambda: setattr(self.master, "broken", 4))
        self.wait(3)
        self.steps.append(lambda: setattr(self.jobs[0], "status", 0))
        status, lines, err = self.roll("mac-mini", *COMMAND)
        self.assertEqual((status, len(self.jobs)), (0, 1), lines)
        self.assertIn("trying again", err)

    def test_masterRestarted(self):
        """What a master says while it stops, or has started its web server and not its workers, is not believed."""
        self.status = {"mac-mini": None}
        masters = self.master.more["masters"] = [{"masterid": 1, "active": True}]
        found = drain = None

        def stops():
            nonlocal found, drain
            found = self.master.workers["mac-mini"]
            drain = found["drain"]
            found["drain"] = None

        def starts():
            del self.master.workers["mac-mini"]
            masters[0]["active"] = False

        def has_started():
            self.master.workers["mac-mini"] = found
            masters[0]["active"] = True
            found["drain"] = {**drain, "state": "drained"}

        self.master.workers["mac-mini"]["running"] = 1
        self.wait(2)
        self.steps += [stops, lambda: None, starts]
        self.wait(100)
        self.steps += [has_started, lambda: setattr(self.jobs[0], "status", 0)]
        status, lines, err = self.roll("mac-mini", *COMMAND)
        self.assertEqual((status, len(self.jobs)), (0, 1), (lines, err))
        self.assertEqual(err.count("is starting; trying again"), 1)
        self.assertEqual([each[1] for each in self.orders()], ["drain", "release"])

    def rebooted(self, *steps):
        """What comes of a roll with --reboots, in which each (connected, or None: the master does not answer; seconds) is the case."""

        def set_(connected):
            self.master.broken = 10_000 if connected is None else 0
            holds = () if connected else (hold("offline"),)
            self.master.workers["mac-mini"].update(connected=bool(connected), holds=list(holds))

        for connected, seconds in steps:
            self.steps.append(lambda connected=connected: set_(connected))
            self.wait(2 * seconds - 1)
        return self.roll("mac-mini", "--reboots", "--back-within", "5m", *COMMAND)[0]

    def test_lostWithTheMaster(self):
        """Of a master that was started again all workers have gone: that says nothing of their machines."""
        gone = [(False, 30), (True, 30)]
        for before in (
            [(True, 5), (None, 20)],
            # it ends the connections, and answers still
            [(False, 3), (None, 20)],
        ):
            self.assertEqual(self.rebooted(*before, (False, 40), (True, 20)), 3)
            self.assertIn("it has not been seen to go", self.orders()[-1][2])
            self.state.unlink()
            self.steps.clear()
            # it goes afterwards, or before, or is away for longer than it would take to connect
            for after in (
                [*before, (False, 40), (True, 20), *gone],
                [*before, (True, 20), *gone],
                [(False, 100), *before, (True, 30)],
                [*before, (False, 125), (True, 30)],
            ):
                self.assertEqual(self.rebooted(*after), 0, after)
