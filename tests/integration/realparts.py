"""Owners' machines with real parts: a client with a sensor, at an imitated master, and a bus of its own."""

import os
import shutil
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from unittest import SkipTest

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from presence.worker import client as client_module
from presence.worker.client import PresenceClient
from presence.worker.sensors import Used
from tests.worker.fakewire import FakeTransport, FakeWorker, view

#: How long what is seen at once may take on a machine that is very busy, in seconds.
SOON = 20

MOCK_PYTHON = "/usr/bin/python3"  # Debian's python3-dbusmock

LOGIN1 = "org.freedesktop.login1"


def needs(*programs):
    missing = [each for each in programs if shutil.which(each) is None]
    if missing:
        raise SkipTest(f"{', '.join(missing)} not installed")


def impatient(quiet, way):
    """A sensor of users that lets go earlier than one that may be written."""
    used = Used(ways=(way,))
    used.quiet = float(quiet)
    return used


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
