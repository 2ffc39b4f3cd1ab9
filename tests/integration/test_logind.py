"""The sensor of users with logind: that of python-dbusmock, and a real one on a bus of its own."""

import os
import re
import subprocess
import time
from pathlib import Path
from unittest import SkipTest

from twisted.internet.defer import inlineCallbacks
from twisted.internet.threads import deferToThread

from presence.worker.looking import logind
from presence.worker.looking.logind import Logind
from presence.worker.sensors import CannotTellError
from tests.integration.realparts import LOGIN1, SOON, BusTestCase, impatient, needs

LOGIND = Path("/lib/systemd/systemd-logind")


class LogindTests(BusTestCase):
    def idle(self, said, since):
        """Logind says so."""
        manager = f"{LOGIN1}.Manager"
        properties = f"{{'IdleHint': <{said}>, 'IdleSinceHint': <uint64 {int(since * 1e6)}>}}"
        self.call(
            LOGIN1,
            "/org/freedesktop/login1",
            "org.freedesktop.DBus.Mock.UpdateProperties",
            manager,
            properties,
        )

    @inlineCallbacks
    def test_hint(self):
        """What logind says is heard at once, and a bus that has gone crashes nothing."""
        bus = self.bus("DBUS_SYSTEM_BUS_ADDRESS", "logind", LOGIN1, "--system")
        # the stand-in for logind is slow on a machine that is very busy, and would be left alone for half a minute
        self.patch(logind, "PATIENCE", float(SOON))
        self.idle("true", time.time() - 60)
        presence = self.begin(impatient(1, "logind"))
        yield self.until(presence, held=False)
        yield deferToThread(self.idle, "false", 0)
        took = yield self.until(presence, held=True)
        self.assertLess(took, SOON)
        bus.kill()
        bus.wait()
        # it is not known any more, and so the quiet time runs
        took = yield self.until(presence, held=False)
        self.assertLess(took, SOON)

    def test_silent(self):
        """A bus on which nobody answers, or that says what is no D-Bus, keeps nobody waiting."""
        import socket  # noqa: PLC0415

        path = self.folder() / "bus"
        server = socket.socket(socket.AF_UNIX)
        self.addCleanup(server.close)
        server.bind(str(path))
        server.listen()
        self.environment(DBUS_SYSTEM_BUS_ADDRESS=f"unix:path={path}")
        began = time.monotonic()
        self.assertRaises(CannotTellError, Logind().since)
        self.assertLess(time.monotonic() - began, SOON)


class RealLogindTests(BusTestCase):
    """A real systemd-logind on a bus of its own; the systemd that starts the scopes of its sessions is dbusmock's."""

    def logind(self):
        needs(str(LOGIND))
        if os.geteuid() != 0 or Path("/run/systemd/system").exists():
            # it keeps its sessions in /run, where there may be only one
            raise SkipTest("a second logind may not run beside that of this machine")
        before = self.kept()
        self.addCleanup(lambda: [each.unlink(missing_ok=True) for each in self.kept() - before])
        self.bus("DBUS_SYSTEM_BUS_ADDRESS", "systemd", "org.freedesktop.systemd1", "--system")
        self.start(str(LOGIND))
        subprocess.run(["gdbus", "wait", "--address", self.address, "--timeout", "60", LOGIN1], check=True)

    def kept(self):
        """The files that it keeps."""
        return {each for kind in ("sessions", "users") for each in Path("/run/systemd", kind).glob("*")}

    def manager(self, method, *arguments):
        return self.call(LOGIN1, "/org/freedesktop/login1", f"{LOGIN1}.Manager.{method}", *arguments)

    @inlineCallbacks
    def test_login(self):
        """Somebody logs in on Wayland: away. His desktop says that he is idle: back; and that he is not: away again."""
        self.logind()
        self.patch(logind, "PATIENCE", float(SOON))
        presence = self.begin(impatient(1, "logind"))
        yield self.until(presence, held=False)
        self.said()
        leader = self.start("sleep", "600")
        session = (
            "0",
            str(leader.pid),
            "test",
            "wayland",
            "user",
            "",
            "",
            "0",
            "",
            "",
            "false",
            "",
            "",
            "[]",
        )
        made = yield deferToThread(self.manager, "CreateSession", *session)
        path = re.search("'(/org/[^']*)'", made)[1]
        took = yield self.until(presence, held=True)
        self.assertLess(took, SOON)
        self.assertEqual(self.said(), [("NOT_ACCEPTING_NEW_BUILDS", "somebody uses the machine", "sensor")])
        # one that has not let go yet has its plain quiet time
        presence = self.begin(impatient(1, "logind"))
        for idle in ("true", "false"):
            yield deferToThread(self.call, LOGIN1, path, f"{LOGIN1}.Session.SetIdleHint", idle)
            yield self.until(presence, held=idle == "false")
