from buildbot.process.results import RETRY, SUCCESS

from presence.breaks.schedule import Break
from presence.master.builds.requeue import GRACE
from tests.master.fakemaster import HOUR, MINUTE, Job, MasterTestCase


class DeadlineTests(MasterTestCase):
    """What still runs so long after the start of a break is interrupted, and built again elsewhere."""

    def startFarm(self, *breaks, others=(), builders=None):
        mini = self.slave("mac-mini", onBreakDuring=list(breaks), timezone="UTC")
        self.startMaster([mini, *others], builders)

    def test_interrupted(self):
        """At the deadline, and not before, a build is interrupted; its request goes to another worker and is not lost."""
        self.startFarm(
            Break("08:00", "12:00", deadline="30m"),
            others=[self.slave("other")],
            builders={"runtests": ["mac-mini"], "any": ["mac-mini", "other"]},
        )
        self.disconnect("other")
        brid = self.request("any")
        self.connect("other")
        self.assertEqual(self.startedOn(), ["mac-mini"])
        self.passUntil(self.at(8.5) - 1)
        self.assertEqual(self.startedOn(), ["mac-mini"])
        self.passUntil(self.at(8.5) + 1)
        self.assertEqual(self.startedOn(), ["mac-mini", "other"])
        self.jobs[-1].finish()
        self.pass_(1)
        self.assertEqual(self.results(brid), [RETRY, SUCCESS])

    def test_afterTheBreak(self):
        """Where no other worker can build it, it is built when the break is over."""
        self.startFarm(Break("08:00", "12:00", deadline=0))
        brid = self.request()
        self.passUntil(self.at(8) + 1)
        self.assertEqual((len(self.jobs), self.unclaimed()), (0, [brid]))
        self.passUntil(self.at(12) + 1)
        self.finishAll()
        self.assertEqual(self.results(brid), [RETRY, SUCCESS])

    def assertGoesOn(self, break_):
        self.startFarm(break_)
        self.request()
        self.passUntil(self.at(12))
        self.assertEqual(len(self.jobs), 1)

    def test_none(self):
        """Without a deadline a build goes on."""
        self.assertGoesOn(Break("08:00", "09:00"))

    def test_afterTheEnd(self):
        """A deadline that comes after the end of the break interrupts nobody."""
        self.assertGoesOn(Break("08:00", "09:00", deadline="2h"))

    def test_finishedInTime(self):
        """A build that ends before the deadline is nobody's concern."""
        self.startFarm(Break("08:00", "12:00", deadline="30m"))
        brid = self.request()
        self.passUntil(self.at(8.4))
        self.jobs[0].finish()
        self.passUntil(self.at(9))
        self.assertEqual(self.results(brid), [SUCCESS])

    def test_partial(self):
        """In a partial break those are interrupted that it does not admit."""
        self.startFarm(
            Break("08:00", "12:00", without="bench-*", deadline="10m"),
            builders={"bench-a": ["mac-mini"], "quick-a": ["mac-mini"]},
        )
        self.request("bench-a")
        self.request("quick-a")
        self.passUntil(self.at(8.5))
        self.assertEqual([job.buildername for job in self.jobs], ["quick-a"])

    def test_withinAnotherBreak(self):
        """A break with a deadline that begins within another one counts from its own start."""
        self.startFarm(("07:00", "12:00"), Break("08:00", "12:00", deadline="30m"))
        self.request()
        self.passUntil(self.at(8.5) - 1)
        self.assertEqual(len(self.jobs), 1)
        self.passUntil(self.at(8.5) + 1)
        self.assertEqual(len(self.jobs), 0)

    def test_suspended(self):
        """While breaks are suspended nobody is interrupted; afterwards the time counts from there."""
        self.startFarm(Break("08:00", "12:00", deadline="30m"))
        self.request()
        self.worker("mac-mini").breakTimer.suspend(self.at(10))
        self.passUntil(self.at(10.4))
        self.assertEqual(len(self.jobs), 1)
        self.passUntil(self.at(10.5) + 1)
        self.assertEqual(len(self.jobs), 0)

    def test_reconfigInTheBreak(self):
        """A break that is configured in its middle gives what runs its time, from then on."""
        self.startFarm()
        self.request()
        self.passUntil(self.at(9))
        self.reconfig(
            [self.slave("mac-mini", onBreakDuring=Break("08:00", "12:00", tz="UTC", deadline="30m"))]
        )
        self.passUntil(self.at(9.4))
        self.assertEqual(len(self.jobs), 1)
        self.passUntil(self.at(9.5) + 10)
        self.assertEqual(len(self.jobs), 0)

    def test_clockJump(self):
        """A clock that is set beyond the deadline interrupts when that is noticed."""
        self.startFarm(Break("08:00", "12:00", deadline="30m"))
        self.request()
        self.passUntil(self.at(8) + 1)
        self.jump(HOUR)
        self.pass_(1)
        self.assertEqual(len(self.jobs), 0)

    def test_clockJumpAfterwards(self):
        """A clock that is set back after that keeps no build that does not end an hour longer."""
        self.startFarm(Break("08:00", "12:00", deadline="30m"))
        self.request()
        self.patch(Job, "interrupt", lambda job, reason: None)
        self.passUntil(self.at(8.5) + 1)
        self.jump(-HOUR)
        self.pass_(GRACE - 2)
        self.assertIsNotNone(self.worker("mac-mini").conn)
        self.pass_(5)
        self.assertIsNone(self.worker("mac-mini").conn)

    def test_everyDay(self):
        """The deadline comes every day anew."""
        self.startFarm(Break("08:00", "09:00", deadline="10m"))
        for day in (0, 1):
            self.passUntil(self.at(24 * day + 7))
            self.request()
            self.passUntil(self.at(24 * day + 8.5))
            self.assertEqual(len(self.jobs), 0, day)
            self.passUntil(self.at(24 * day + 9) + MINUTE)
            self.finishAll()
