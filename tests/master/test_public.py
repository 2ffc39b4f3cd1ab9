import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

import presence.master

ASKED = """
import sys
import presence.master
assert "buildbot" not in sys.modules, "imported at once"
from presence.master import BuildSlave, PresenceMixin, PresenceService
from presence.master import buildslave, service
assert BuildSlave is buildslave.BuildSlave
assert PresenceMixin is buildslave.PresenceMixin
assert PresenceService is service.PresenceService
"""


class PublicNamesTests(SynchronousTestCase):
    def test_lazy(self):
        """The public names are those of their modules, and Buildbot is imported when one of them is asked for."""
        subprocess.run([sys.executable, "-c", ASKED], check=True)

    def test_listed(self):
        """They are listed, and other names are refused as of any module."""
        self.assertLessEqual(set(presence.master.__all__), set(dir(presence.master)))
        with self.assertRaisesRegex(AttributeError, "module 'presence.master' has no attribute 'Worker'"):
            presence.master.Worker  # noqa: B018 (asking is the test)
