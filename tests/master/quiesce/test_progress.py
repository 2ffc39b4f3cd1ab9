from types import SimpleNamespace

from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from presence.master.quiesce.progress import logProgress

NOW = 1_800_000_000.0


class ProgressTests(SynchronousTestCase):
    """`buildbot reconfig` gives up after ten seconds without a line of progress in the log."""

    def setUp(self):
        self.reconfig = SimpleNamespace(logged=[], loggedAt=0.0)

    def said(self, now, *builders):
        """What it says then of who is waited for, and whether it is new."""
        builds = [
            SimpleNamespace(builder=SimpleNamespace(name=each), workername="mac-mini") for each in builders
        ]
        with capturedLogs() as captured:
            news = logProgress(self.reconfig, builds, now)
        return [each["builds"] for each in captured], news

    def test_oftenEnough(self):
        """What is new is said at once, and what is not every five seconds; when nobody is waited for there is nothing to say."""
        self.assertEqual(self.said(NOW, "b", "a"), (["a on mac-mini, b on mac-mini"], True))
        self.assertEqual(self.said(NOW + 4, "a", "b"), ([], False))
        self.assertEqual(self.said(NOW + 5, "a", "b"), (["a on mac-mini, b on mac-mini"], False))
        self.assertEqual(self.said(NOW + 6, "a"), (["a on mac-mini"], True))
        self.assertEqual(self.said(NOW + 7), ([], True))

    def test_clockSetBack(self):
        """A clock that is set back silences nobody."""
        self.said(NOW, "a")
        self.assertEqual(self.said(NOW - 3600, "a"), (["a on mac-mini"], False))
