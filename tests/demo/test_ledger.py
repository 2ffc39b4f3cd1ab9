from twisted.trial.unittest import SynchronousTestCase

from presence.demo.ledger import CYCLE, ON_ITS_WAY, Build, Plan, breakAt, judge, startedInBreak

PLAN = Plan(1000.0, 2)
BREAK = PLAN.breaks[0]

SUCCESS, FAILURE, RETRY = 0, 2, 5


def build(number=1, *, request=1, results=SUCCESS, began=BREAK.stop, announced=0.0, worker=BREAK.worker):
    return Build(number, request, worker, results, began, announced)


class PlanTests(SynchronousTestCase):
    def test_cycles(self):
        """Every cycle has one break of each worker, and the breaks of a cycle overlap."""
        first, second = PLAN.breaks[:2], PLAN.breaks[2:]
        for before, after in zip(first, second, strict=True):
            self.assertEqual(after.start - before.start, CYCLE)
            self.assertEqual(after.worker, before.worker)
        self.assertNotEqual(first[0].worker, first[1].worker)
        self.assertLess(first[1].start, first[0].stop)

    def test_prolonged(self):
        """A plan that is prolonged keeps its breaks, and gets one cycle more."""
        self.assertEqual(PLAN.prolonged().breaks[:4], PLAN.breaks)
        self.assertEqual(PLAN.prolonged().end, PLAN.end + CYCLE)

    def test_halfOpen(self):
        """A break contains its start, and not its stop."""
        self.assertEqual(breakAt(PLAN.breaks, BREAK.worker, BREAK.start), BREAK)
        self.assertIsNone(breakAt(PLAN.breaks, BREAK.worker, BREAK.stop))
        self.assertIsNone(breakAt(PLAN.breaks, BREAK.worker, BREAK.start - 0.001))


class JudgeTests(SynchronousTestCase):
    def wrong(self, *builds, requested=(1,)):
        return judge(PLAN.breaks, dict.fromkeys(requested, 0.0), builds).wrong

    def test_well(self):
        """Nothing is wrong with a build that begins when the break is over."""
        self.assertEqual(self.wrong(build()), ())

    def test_tooEarly(self):
        """A build that begins in the last moment of a break is wrong."""
        (said,) = self.wrong(build(began=BREAK.stop - 0.01))
        self.assertIn(f"started on {BREAK.worker}", said)

    def test_onItsWay(self):
        """A build that was announced before the break, and runs soon after its start, was on its way."""
        on_its_way = build(announced=BREAK.start - 0.01, began=BREAK.start + ON_ITS_WAY / 2)
        self.assertIsNone(startedInBreak(PLAN.breaks, on_its_way))

    def test_notOnItsWay(self):
        """It was not when it was announced in the break, or runs too late, or was never announced."""
        for announced, delay in ((BREAK.start, 0.1), (BREAK.start - 0.01, ON_ITS_WAY), (None, 0.1)):
            late = build(announced=announced, began=BREAK.start + delay)
            self.assertEqual(startedInBreak(PLAN.breaks, late), BREAK)

    def test_otherWorker(self):
        """The break of one worker is none of another's."""
        self.assertEqual(self.wrong(build(worker="plain", began=BREAK.start + 1)), ())

    def test_retried(self):
        """A build that never ran, and was built by the next, is not wrong."""
        self.assertEqual(self.wrong(build(1, results=RETRY, began=None), build(2)), ())

    def test_lost(self):
        """A request of which no build has succeeded was lost."""
        for builds in (
            (),
            (build(results=RETRY, began=None),),
            (build(results=FAILURE),),
            (build(results=None),),
        ):
            self.assertEqual(self.wrong(*builds), ("request 1 was lost: no build of it succeeded",))

    def test_twice(self):
        """A request is built once."""
        self.assertEqual(self.wrong(build(1), build(2)), ("request 1 was built 2 times",))

    def test_builds(self):
        """It counts the builds that ran."""
        builds = [build(1), build(2, request=2), build(3, request=3, results=RETRY, began=None)]
        self.assertEqual(judge(PLAN.breaks, {1: 0.0, 2: 0.0}, builds).builds, 2)
