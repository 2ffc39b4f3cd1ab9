"""The conditions of a worker, on a clock, and with threads that a test ends."""

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from presence.master.conditions.asked import AskedConditions, Threads
from presence.master.conditions.written import Condition, readConditions
from presence.model.workerpresence import WorkerPresence


class AskedTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.presence = WorkerPresence("mac-mini", self.clock)
        self.threads = []
        self.asked = AskedConditions(self.presence, self.clock, self.inThread)
        self.addCleanup(self.stop)

    def stop(self):
        self.asked.stop()
        self.presence.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def inThread(self, function):
        done = Deferred()
        self.threads.append((done, function))
        return done

    def finishThread(self):
        done, function = self.threads.pop(0)
        try:
            done.callback(function())
        except Exception:  # noqa: BLE001
            done.errback()

    def follow(self, *conditions):
        self.asked.follow(readConditions(list(conditions)))

    def reasons(self):
        return [(each.by, each.reason) for each in self.presence.holds]

    def answers(self, *answers):
        """A function of the reactor that answers these, one each time it is asked; and the names that it was asked with."""
        left, self.names = list(answers), []

        async def isCool(name):
            self.names.append(name)
            answer = left.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return await answer if isinstance(answer, Deferred) else answer

        return isCool

    def test_answers(self):
        """Asked each minute: yes lets builds start, no and a text hold, and nothing but yes is yes."""
        self.follow(Condition(self.answers(True, False, "load 63", None, "", 1, ValueError("boom"), True)))
        self.assertEqual((self.reasons(), self.names), ([], ["mac-mini"]))
        for reason in (
            "it is not met",
            "load 63",
            "it has answered None, which is neither True nor False nor a reason",
            "it has answered '', which is neither True nor False nor a reason",
            "it has answered 1, which is neither True nor False nor a reason",
            "it cannot be asked: ValueError: boom",
        ):
            self.clock.advance(59)
            before = self.reasons()
            self.clock.advance(1)
            self.assertEqual(self.reasons(), [("isCool", reason)])
            self.assertNotEqual(before, self.reasons())
        self.clock.advance(60)
        self.assertEqual(self.reasons(), [])

    def test_beforeTheFirstAnswer(self):
        """It is held until it has answered, and not while an answer that came is asked for again."""
        first, second = Deferred(), Deferred()
        self.follow(Condition(self.answers(first, second)))
        self.assertEqual(self.reasons(), [("isCool", "it has not answered yet")])
        first.callback(True)
        self.clock.advance(60)
        self.assertEqual(self.reasons(), [])
        second.callback(False)
        self.assertEqual(self.reasons(), [("isCool", "it is not met")])

    def test_hangs(self):
        """One that does not answer in time holds, is cancelled, and is asked again."""
        self.follow(Condition(self.answers(True, Deferred(), True), timeout=5))
        self.clock.advance(60)
        self.assertEqual(self.reasons(), [])
        self.clock.advance(5)
        self.assertEqual(self.reasons(), [("isCool", "it has not answered within 5 s")])
        self.clock.advance(60)
        self.assertEqual(self.reasons(), [])

    def test_cannotBeCancelled(self):
        """What cannot be cancelled is not waited for, and what it answers later is not heard."""
        late, later = Deferred(), Deferred()
        answers = [late.addErrback(lambda _: later), succeed(True)]

        def stubborn(_):
            return answers.pop(0)

        self.follow(Condition(stubborn, blocking=False, timeout=5))
        self.clock.advance(5)
        self.assertEqual(self.reasons(), [("stubborn", "it has not answered within 5 s")])
        self.clock.advance(60)
        self.assertEqual(self.reasons(), [])
        later.callback(False)
        self.assertEqual(self.reasons(), [])

    def test_threads(self):
        """A function that may block is asked in a thread; while one hangs there is no second question."""
        self.follow(Condition(lambda _: True, name="disk", timeout=5))
        self.clock.advance(5)
        self.assertEqual(self.reasons(), [("disk", "it has not answered within 5 s")])
        self.clock.advance(1000)
        self.assertEqual(len(self.threads), 1)
        self.finishThread()
        self.assertEqual(self.reasons(), [])
        self.clock.advance(60)
        self.assertEqual(len(self.threads), 1)

    def test_deferredInThread(self):
        """A Deferred that was made in a thread is an error, and what would be right is said."""
        self.follow(Condition(lambda _: succeed(True), name="disk"))
        self.finishThread()
        self.assertIn("say Condition(…, blocking=False)", self.reasons()[0][1])

    def test_several(self):
        """Several hold beside each other, under names that differ."""
        self.follow(
            self.answers("hot"), self.answers("cold"), Condition(self.answers(False), reason="no disk")
        )
        self.assertEqual(self.reasons(), [("isCool", "hot"), ("isCool 2", "cold"), ("isCool 3", "no disk")])

    def test_reconfig(self):
        """A new condition of the same name goes on from the answer of the old one; one that has gone holds no more."""
        self.follow(Condition(self.answers("hot"), name="a"), Condition(self.answers("cold"), name="b"))
        later = Deferred()
        since = self.presence.holds[0].since
        self.clock.advance(1)
        self.follow(Condition(self.answers(later), name="a"))
        self.assertEqual(self.reasons(), [("a", "hot")])
        later.callback("hotter")
        self.assertEqual((self.reasons(), self.presence.holds[0].since), ([("a", "hotter")], since))
        self.follow()
        self.assertEqual((self.reasons(), self.clock.getDelayedCalls()), ([], []))

    def test_oldAnswer(self):
        """What an old condition answers after a reconfig is not heard."""
        self.follow(Condition(lambda _: False, name="a"))
        self.follow(Condition(self.answers(True), name="a"))
        self.assertEqual(self.reasons(), [])
        self.finishThread()
        self.assertEqual(self.reasons(), [])

    def test_clock(self):
        """When the clock has been set it is asked at once, and an answer is waited for from now on."""
        self.follow(Condition(self.answers(True, False), every="1h"))
        self.asked.clockJumped()
        self.clock.advance(0)
        self.assertEqual(self.reasons(), [("isCool", "it is not met")])

    def test_log(self):
        """A failure is logged once, with its trace, and again when it is another one."""
        problems = [ValueError("one"), ValueError("one"), ValueError("two")]
        with capturedLogs() as events:
            self.follow(Condition(self.answers(*problems, True)))
            self.clock.pump([60] * 3)
        told = [formatEvent(each) for each in events]
        self.assertEqual(len(told), 2)
        self.assertIn("the condition isCool of mac-mini: it cannot be asked: ValueError: one", told[0])
        self.assertIn("Traceback", told[0])


class ThreadsTests(SynchronousTestCase):
    def test_bounded(self):
        """So many run at once; the next one when one has returned."""
        started, calls = [], []

        class Reactor:
            callFromThread = staticmethod(lambda function, *args: calls.append((function, args)))

        class NoThread:
            def __init__(self, target, name, daemon):
                assert daemon
                self.start = lambda: started.append(target)

        self.patch(__import__("presence.master.conditions.asked", fromlist=["x"]), "Thread", NoThread)
        threads = Threads(Reactor)
        answers = [threads.run(lambda: 1 // 0) for _ in range(8)] + [threads.run(lambda: 7)]
        self.assertEqual(len(started), 8)
        for _ in range(8):
            started.pop(0)()
            function, args = calls.pop(0)
            function(*args)
        for each in answers[:8]:
            self.failureResultOf(each, ZeroDivisionError)
        started.pop()()
        function, args = calls.pop()
        function(*args)
        self.assertEqual(self.successResultOf(answers[8]), 7)
