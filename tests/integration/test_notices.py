"""Notices on the desktop, with the notification daemon of python-dbusmock."""

import re
from importlib.util import find_spec
from threading import Event
from unittest import SkipTest

from twisted.internet.defer import inlineCallbacks
from twisted.internet.threads import deferToThread

from presence.worker.looking import bus as busmodule
from presence.worker.notifying import desktop
from presence.worker.sensors import CannotTellError
from tests.integration.processes import waitFor
from tests.integration.realparts import SOON, BusTestCase

NOTIFICATIONS, NOTICES_PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"
NOTICE = re.compile("This machine builds")


class NoticeTests(BusTestCase):
    """A notice on a desktop, which is dbusmock's notification daemon on a bus of its own."""

    def notices(self, method):
        """The arguments with which the desktop's `method` was called, as gdbus writes them."""
        said = self.call(NOTIFICATIONS, NOTICES_PATH, "org.freedesktop.DBus.Mock.GetMethodCalls", method)
        return [] if said.startswith("(@a") else [said]

    def ask(self):
        self.bus("DBUS_SESSION_BUS_ADDRESS", "notification_daemon", NOTIFICATIONS, "--session")
        # the stand-in is slow on a machine that is very busy
        self.patch(busmodule, "PATIENCE", float(SOON))
        self.over = Event()
        self.addCleanup(self.over.set)
        return deferToThread(
            desktop.ask, "This machine builds", "any <b> & more", "Away for an hour", self.over
        )

    def shown(self):
        """Wait until it is there."""
        return deferToThread(
            waitFor, "the notice is shown", lambda: NOTICE.search("".join(self.notices("Notify")))
        )

    def signal(self, name, types, *arguments):
        """The desktop says so."""
        self.call(
            NOTIFICATIONS,
            NOTICES_PATH,
            "org.freedesktop.DBus.Mock.EmitSignal",
            NOTIFICATIONS,
            name,
            types,
            f"[{', '.join(arguments)}]",
        )

    @inlineCallbacks
    def test_pressed(self):
        """It is shown with its button, in which no markup hides, and pressing that is the answer; what is said of another one is not."""
        asked = self.ask()
        found = yield self.shown()
        self.assertIn("any &lt;b&gt; &amp; more", found.string)
        self.assertIn("Away for an hour", found.string)
        self.signal("ActionInvoked", "us", "<uint32 77>", "<'chosen'>")
        self.signal("ActionInvoked", "us", "<uint32 1>", "<'chosen'>")
        self.assertTrue((yield asked))

    @inlineCallbacks
    def test_closed(self):
        """Closing it is no."""
        asked = self.ask()
        yield self.shown()
        self.signal("NotificationClosed", "uu", "<uint32 1>", "<uint32 2>")
        self.assertFalse((yield asked))

    @inlineCallbacks
    def test_over(self):
        """When the build has ended it is taken away."""
        asked = self.ask()
        yield self.shown()
        self.over.set()
        self.assertFalse((yield asked))
        self.assertTrue(self.notices("CloseNotification"))

    def test_none(self):
        """Where there is no desktop, or nobody on its bus who shows anything, that is said, and nobody waits."""
        if find_spec("jeepney") is None:
            raise SkipTest("jeepney not installed")
        for address in ("unix:path=/no/such/bus", "tcp:host=localhost", ""):
            self.environment(DBUS_SESSION_BUS_ADDRESS=address)
            self.assertRaises(CannotTellError, desktop.ask, "", "", "", Event())
