import io
import sys

from twisted.trial.unittest import SynchronousTestCase

from presence.demo import run as demo


class MissingTests(SynchronousTestCase):
    def test_missing(self):
        """Without Buildbot there is no demo: it says what is missing and how to get it, with status 1."""
        said = io.StringIO()
        self.patch(sys, "stderr", said)
        self.patch(demo, "missingParts", lambda: ["buildbot", "buildbot-worker"])
        self.assertEqual(demo.run(), 1)
        self.assertIn("buildbot, buildbot-worker.", said.getvalue())
        self.assertIn("pip install", said.getvalue())
