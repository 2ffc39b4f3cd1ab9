from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from presence.errors import PresenceStopped
from presence.model.waiters import Waiters


class WaitersTests(SynchronousTestCase):
    def setUp(self):
        self.value = None
        self.fired = []
        self.emptied = 0
        self.waiters = Waiters(lambda: self.value, "mac-mini", self.count)

    def count(self):
        self.emptied += 1

    def wait(self, label, callback=None):
        deferred = self.waiters.wait()
        deferred.addCallback(lambda _: self.fired.append(label))
        if callback is not None:
            deferred.addCallback(lambda _: callback())
        return deferred

    def answer(self, value):
        self.value = value
        self.waiters.fire()

    def test_atOnce(self):
        """Who asks while there is an answer gets a Deferred that has fired with it."""
        self.value = "ready"
        self.assertEqual(self.successResultOf(self.waiters.wait()), "ready")
        self.assertEqual(len(self.waiters), 0)

    def test_later(self):
        """Who asks before there is an answer is fired with it when there is."""
        deferred = self.waiters.wait()
        self.assertNoResult(deferred)
        self.answer("ready")
        self.assertEqual(self.successResultOf(deferred), "ready")

    def test_order(self):
        """Waiters fire in the order in which they asked."""
        for label in range(10):
            self.wait(label)
        self.answer("ready")
        self.assertEqual(self.fired, list(range(10)))

    def test_onlyWhileTrue(self):
        """A waiter that takes the answer away keeps those after it waiting, and first in the queue."""
        self.wait("a", lambda: setattr(self, "value", None))
        self.wait("b")
        self.answer("ready")
        self.wait("c")
        self.assertEqual(self.fired, ["a"])
        self.answer("ready")
        self.assertEqual(self.fired, ["a", "b", "c"])

    def test_awayAndBackInsideACallback(self):
        """The answer may go and come back inside a callback, in hundreds of them: each is fired once."""

        def flicker():
            self.value = None
            self.waiters.fire()
            self.answer("ready")

        for label in range(300):
            self.wait(label, flicker)
        self.answer("ready")
        self.assertEqual(self.fired, list(range(300)))

    def test_askingInsideACallback(self):
        """A waiter may ask again from inside its callback, and is answered at once while that holds."""
        self.wait("a", lambda: self.wait("again"))
        self.wait("b")
        self.answer("ready")
        self.assertEqual(self.fired, ["a", "again", "b"])

    def test_cancelRemoves(self):
        """Cancelling a waiter removes it, and touches no other."""
        cancelled = self.waiters.wait()
        self.wait("b")
        cancelled.cancel()
        self.failureResultOf(cancelled, CancelledError)
        self.assertEqual(len(self.waiters), 1)
        self.answer("ready")
        self.assertEqual(self.fired, ["b"])

    def test_cancelInsideACallback(self):
        """A waiter that cancels the next one keeps it from being fired."""
        later = []
        self.wait("a", lambda: later[0].cancel())
        later.append(self.wait("b"))
        self.answer("ready")
        self.assertEqual(self.fired, ["a"])
        self.failureResultOf(later[0], CancelledError)

    def test_stopFailsAll(self):
        """Stopping fails those who wait with PresenceStopped, which names what they waited for."""
        deferreds = [self.waiters.wait() for _ in range(3)]
        self.waiters.stop()
        for deferred in deferreds:
            self.assertIn("mac-mini", str(self.failureResultOf(deferred, PresenceStopped).value))

    def test_askingAfterStop(self):
        """Who asks after the stop fails at once, even if there is an answer."""
        self.waiters.stop()
        self.value = "ready"
        self.failureResultOf(self.waiters.wait(), PresenceStopped)

    def test_cancelWhileStopping(self):
        """A waiter that cancels another while both are being failed does no harm."""
        deferreds = []
        deferreds.append(self.waiters.wait().addErrback(lambda _: deferreds[1].cancel()))
        deferreds.append(self.waiters.wait())
        self.waiters.stop()
        self.assertIsNone(self.successResultOf(deferreds[0]))
        self.failureResultOf(deferreds[1], CancelledError)

    def test_emptied(self):
        """When the last waiter has gone, fired or cancelled, that is told."""
        self.waiters.wait().addErrback(lambda _: None).cancel()
        self.assertEqual(self.emptied, 1)
        self.wait("a")
        self.wait("b")
        self.answer("ready")
        self.assertEqual(self.emptied, 2)

    def test_aFailingCallbackStopsNobody(self):
        """A waiter whose callback raises does not keep the next from being fired."""
        broken = self.waiters.wait().addCallback(lambda _: 1 / 0)
        self.wait("b")
        self.answer("ready")
        self.assertEqual(self.fired, ["b"])
        self.failureResultOf(broken, ZeroDivisionError)
