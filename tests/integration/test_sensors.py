"""Sensors with real parts: an X server and key presses, a bus with a logind, a disk that is full.

logind is that of python-dbusmock, as systemd's friends test with it: a real one needs to be the machine's own.
"""

import ctypes
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Event
from unittest import SkipTest

from twisted.internet import reactor
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from presence.worker import client as client_module
from presence.worker.client import PresenceClient
from presence.worker.looking import bus as busmodule
from presence.worker.looking import logind
from presence.worker.looking.logind import Logind
from presence.worker.notifying import desktop
from presence.worker.sensors import CannotTellError, DiskBelow, Used
from tests.integration.buildrequest import RETRY
from tests.integration.farm import Farm
from tests.integration.ownerscommands import Terminal
from tests.integration.processes import waitFor
from tests.integration.test_wire import OURS
from tests.worker.fakewire import FakeTransport, FakeWorker, view

#: How long what is seen at once may take on a machine that is very busy, in seconds.
SOON = 20

#: After what time without a key press the worker is back.
QUIET = 4

# Presses a key again and again. In a file is an instant before the last time.
PRESSING = "while date +%s.%N > {0}.new && xdotool key a; do mv {0}.new {0}; sleep 0.5; done"

MOCK_PYTHON = "/usr/bin/python3"  # Debian's python3-dbusmock
LOGIN1 = "org.freedesktop.login1"
LOGIND = Path("/lib/systemd/systemd-logind")
NOTIFICATIONS, NOTICES_PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"
NOTICE = re.compile("This machine builds")


def needs(*programs):
    missing = [each for each in programs if shutil.which(each) is None]
    if missing:
        raise SkipTest(f"{', '.join(missing)} not installed")


class RealPartsTestCase(TestCase):
    timeout = 240

    def start(self, *command, **keywords):
        child = subprocess.Popen(command, stderr=subprocess.DEVNULL, **keywords)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        return child

    def environment(self, **variables):
        """For this process, and for those that it starts."""
        for name, value in variables.items():
            before = os.environ.get(name)
            os.environ[name] = value
            if before is None:
                self.addCleanup(os.environ.pop, name)
            else:
                self.addCleanup(os.environ.__setitem__, name, before)

    def folder(self):
        # the name of a socket is short
        folder = tempfile.mkdtemp(prefix="p")
        self.addCleanup(shutil.rmtree, folder)
        return Path(folder)

    def begin(self, sensor):
        """A worker with this sensor, at a master that knows presence."""
        self.transport = FakeTransport()
        self.patch(client_module, "transportOf", lambda worker: self.transport)
        basedir = self.mktemp()
        Path(basedir).mkdir()
        client = PresenceClient(FakeWorker(basedir), sensors=[sensor], localPort=None, reactor=reactor)
        client.startService()
        self.addCleanup(client.stopService)
        self.transport.listener.greeting()
        self.transport.listener.viewArrived(view().toDict(time.time()))
        self.transport.listener.attached()
        return client.presence

    def until(self, presence, held):
        """A Deferred that fires with the seconds that pass until the worker is held, or is not."""
        began, changed = time.monotonic(), Deferred()

        def look(presence):
            if bool(presence.holds) is held and not changed.called:
                changed.callback(time.monotonic() - began)

        stop = presence.observe(look)
        self.addCleanup(lambda: stop())
        look(presence)
        return changed

    def said(self):
        """What the master was told, answered."""
        told = []
        while self.transport.sent:
            _, message, answer = self.transport.sent.pop(0)
            told.append((message["state"], message["reason"], message["by"]))
            answer.callback(view().toDict(time.time()))
        return told


class KeyboardTests(RealPartsTestCase):
    def display(self):
        """An X server, in the environment of whatever is started."""
        needs("Xvfb", "xdotool")
        try:
            ctypes.CDLL("libXss.so.1")
        except OSError as problem:
            raise SkipTest(str(problem)) from None
        read, write = os.pipe()
        self.start("Xvfb", "-displayfd", str(write), "-screen", "0", "64x64x8", pass_fds=[write])
        os.close(write)
        with os.fdopen(read) as pipe:
            number = pipe.readline().strip()
        if not number:
            raise SkipTest("Xvfb does not start here")
        self.environment(DISPLAY=f":{number}")
        # it takes its own start for the last key press: a worker would be away, and let go too early
        started = time.monotonic()
        waitFor("that is over", lambda: time.monotonic() > started + 2 * QUIET)

    @contextmanager
    def somebodyTypes(self):
        """Meanwhile; in `typed` is then an instant before the last key press."""
        file = self.folder() / "typed"
        typing = self.start("sh", "-c", PRESSING.format(file), start_new_session=True)
        try:
            waitFor("a key is pressed", file.exists)
            yield
        finally:
            os.killpg(typing.pid, signal.SIGKILL)
            typing.wait()
        self.typed = float(file.read_text())

    def test_master(self):
        """What runs is finished, no build starts from the key press on, `work` overrules it, and after the quiet time it is back."""
        self.display()
        farm = Farm(self, "pb")
        farm.configure(OURS)
        farm.start()
        sensors = (
            "sensors=[__import__('presence.worker.sensors').worker.sensors.Used({quiet}, ways=('x11',))]"
        )
        owner = Terminal(self, farm.worker("mac-mini"), sensors.format(quiet=QUIET)).start()
        owner.worker.waitUntilConnected()
        waitFor("its start is over", lambda: not owner.status()["holds"])
        runs = farm.force("mac-mini", held=True).waitUntilRuns()
        with self.somebodyTypes():
            (hold,) = waitFor("the master has heard", lambda: farm.get("presences")["presences"][0]["holds"])
            self.assertEqual(
                (hold["source"], hold["reason"], hold["by"]),
                ("worker", "somebody uses the machine", "sensor"),
            )
            request = farm.force("any")
            runs.letFinish().waitUntilBuilt()
            self.assertEqual(request.builds, [])
            self.assertIn("away by itself (somebody uses the machine)", owner.do(0, "status"))
        self.assertGreater(request.waitUntilBuilt()["started"], self.typed + QUIET)
        with self.somebodyTypes():
            waitFor("away again", lambda: owner.sources() == ["sensor"])
            self.assertIn(
                "accepts builds, in spite of its breaks and sensors", owner.do(0, "work", "--for", "1h")
            )
            farm.force("any").waitUntilBuilt()

    @inlineCallbacks
    def test_keyPress(self):
        """Away with the first key press, and back after the quiet time; the master hears each once."""
        self.display()
        presence = self.begin(Used(3, ways=("x11",)))
        # it has not looked yet
        yield self.until(presence, held=False)
        self.said()
        began = time.monotonic()
        press = self.start("xdotool", "key", "a")
        took = yield self.until(presence, held=True)
        yield deferToThread(press.wait)
        self.assertLess(took, SOON)
        self.assertEqual(self.said(), [("NOT_ACCEPTING_NEW_BUILDS", "somebody uses the machine", "sensor")])
        yield self.until(presence, held=False)
        # it counts from the key press, which is told in milliseconds
        self.assertGreater(time.monotonic() - began, 2.9)
        self.assertEqual([state for state, _, _ in self.said()], ["AVAILABLE"])


class BusTestCase(RealPartsTestCase):
    def bus(self, variable, template, name, *options):
        """A bus, in the environment under `variable`, on which dbusmock's `template` has this name."""
        needs("dbus-daemon", "gdbus", MOCK_PYTHON)
        if find_spec("jeepney") is None:
            raise SkipTest("jeepney not installed")
        if subprocess.run(
            [MOCK_PYTHON, "-c", "import dbusmock"], stderr=subprocess.DEVNULL, check=False
        ).returncode:
            raise SkipTest("python3-dbusmock not installed")
        self.address = f"unix:path={self.folder() / 'bus'}"
        bus = self.start(
            "dbus-daemon",
            "--session",
            "--nofork",
            "--print-address",
            f"--address={self.address}",
            stdout=subprocess.PIPE,
        )
        self.addCleanup(bus.stdout.close)
        self.assertIn(b"unix:path=", bus.stdout.readline())
        self.environment(**{variable: self.address})
        mock = [MOCK_PYTHON, "-m", "dbusmock", *options, "--template", template]
        self.start(*mock, stdout=subprocess.DEVNULL)
        subprocess.run(["gdbus", "wait", "--address", self.address, "--timeout", "60", name], check=True)
        return bus

    def call(self, name, path, *method):
        """What a call of this method says."""
        call = ["gdbus", "call", "--address", self.address, "--dest", name, "--object-path", path, "--method"]
        return subprocess.run([*call, *method], check=True, stdout=subprocess.PIPE, text=True).stdout


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
        presence = self.begin(Used(1, ways=("logind",)))
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
        presence = self.begin(Used(1, ways=("logind",)))
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
        presence = self.begin(Used(1, ways=("logind",)))
        for idle in ("true", "false"):
            yield deferToThread(self.call, LOGIN1, path, f"{LOGIN1}.Session.SetIdleHint", idle)
            yield self.until(presence, held=idle == "false")


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


class DiskTests(RealPartsTestCase):
    def test_full(self):
        """A small disk that gets full, and is emptied again."""
        folder = self.folder()
        if subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=False, stderr=subprocess.DEVNULL
        ).returncode:
            raise SkipTest("nothing may be mounted here")
        try:
            sensor = DiskBelow("512K", str(folder))
            self.assertIs(sensor.read().away, False)
            (folder / "build").write_bytes(bytes(800 * 1024))
            reading = sensor.read()
            self.assertEqual(
                (reading.away, reading.text), (True, f"only 224 KB of the disk of {folder} are free")
            )
            (folder / "build").unlink()
            self.assertIs(sensor.read().away, False)
        finally:
            subprocess.run(["umount", folder], check=True)


class ReturnTests(RealPartsTestCase):
    """What becomes of a real build when its owner comes."""

    def process(self, request):
        """The number of the process that builds it; None when there is none."""
        for pid in filter(str.isdecimal, os.listdir("/proc")):  # noqa: PTH208
            try:
                if str(request._hold).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return int(pid)
            except OSError:  # noqa: PERF203
                continue  # it has ended
        return None

    def state(self, request):
        """The state of that process, as the kernel calls it; None when there is none."""
        try:
            return Path(f"/proc/{self.process(request)}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return None

    def priorities(self, request):
        """The priorities of all processes of the group that builds it."""
        group, found = os.getpgid(self.process(request)), set()
        for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))):  # noqa: PTH208
            try:
                if os.getpgid(pid) == group:
                    found.add(os.getpriority(os.PRIO_PROCESS, pid))
            except ProcessLookupError:  # noqa: PERF203
                continue  # it has ended
        return found

    def owner(self, farm, name, onReturn):
        flag = farm.directory / f"{name}-is-needed"
        sensor = f"__import__('presence.worker.sensors').worker.sensors.Command({f'test -e {flag}'!r}, quiet=0, every=0.5)"
        owner = Terminal(self, farm.worker(name), f"sensors=[{sensor}], {onReturn}").start()
        owner.worker.waitUntilConnected()
        waitFor("its start is over", lambda: not owner.status()["holds"])
        return owner, flag

    def test_returns(self):
        """It is suspended and goes on; cancelled while it is, it ends; sent back, it is built on another machine."""
        if not Path("/proc/self/stat").exists():
            raise SkipTest("no Linux")
        farm = Farm(self, "pb")
        farm.configure(*(f'worker.BuildSlave(name="{name}", passwd=PASSWORD)' for name in ("one", "two")))
        farm.start()
        owner, flag = self.owner(farm, "one", "onReturn='suspend'")
        runs = farm.force("one", held=True).waitUntilRuns()
        flag.touch()
        waitFor("it is stopped", lambda: self.state(runs) == "T")
        self.assertIn("what runs is suspended, and is sent back at ", owner.do(0, "status"))
        flag.unlink()
        waitFor("it goes on", lambda: self.state(runs) not in {"T", None})
        runs.letFinish().waitUntilBuilt()

        cancelled = farm.force("one", held=True).waitUntilRuns()
        flag.touch()
        waitFor("it is stopped", lambda: self.state(cancelled) == "T")
        farm.post(f"builds/{cancelled.builds[0]['buildid']}", "stop")
        waitFor("its process has ended", lambda: self.state(cancelled) is None)
        waitFor("it is cancelled", lambda: cancelled.complete)

        _, other = self.owner(farm, "two", "onReturn='sendback', returnLimit=0")
        back = farm.force("any", held=True).waitUntilRuns()
        self.assertEqual(len(back.builds), 1)
        other.touch()
        farm.waitFor("it is sent back", lambda: back.builds[0]["results"] == RETRY)
        self.assertEqual(len(back.builds), 1)
        flag.unlink()
        back.letFinish()
        one = farm.getWorker("one")["workerid"]
        self.assertEqual(back.waitUntilBuilt()["workerid"], one)

    def test_nice(self):
        """It has the lowest priority with all of its process group while its owner is there, and after that its own one."""
        if not Path("/proc/self/stat").exists():
            raise SkipTest("no Linux")
        farm = Farm(self, "pb")
        farm.configure('worker.BuildSlave(name="one", passwd=PASSWORD)')
        farm.start()
        owner, flag = self.owner(farm, "one", "onReturn='nice'")
        runs = farm.force("one", held=True).waitUntilRuns()
        before = self.priorities(runs)
        self.assertNotIn(19, before)
        flag.touch()
        waitFor("it is last", lambda: self.priorities(runs) == {19})
        self.assertIn("what runs has the lowest priority", owner.do(0, "status"))
        flag.unlink()
        waitFor("its owner has gone", lambda: owner.status()["on_return"] is None)
        # priority is not given to everybody
        self.assertEqual(self.priorities(runs), before if os.geteuid() == 0 else {19})
        runs.letFinish().waitUntilBuilt()
