"""Masters and workers that need not import Buildbot again: they are forked from a process that has.

Importing it is most of what a master's start costs, some four seconds of CPU, and the tests start hundreds. What is forked
is a process like any other, with an id, standard files and an environment of its own, and begins where
``python -c CODE ARGUMENTS`` does, but that the modules are there.

    process = launch(code, arguments, stdin=pipe, output=file, environment={...})
    process.pid, process.poll(), process.wait(10), process.send_signal(15)

Each test process has one such parent for each `code`; it ends with that process.
"""

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from functools import cache

#: What a process that begins with this code imports on its way, in this order.
MODULES = {
    "buildbot": (
        "buildbot.scripts.runner",
        "buildbot.scripts.start",
        "buildbot.master",
        "buildbot.plugins",
        "buildbot.steps.shell",
        "buildbot.schedulers.forcesched",
        "buildbot.www.service",
        "buildbot.www.authz",
        "buildbot.db.migrate_utils",
        "buildbot.worker.protocols.msgpack",
        "buildbot.worker.protocols.null",
        "buildbot.mq.simple",
        "buildbot.steps.trigger",
        "buildbot.monkeypatches.servicechecks",
        "twisted.scripts.twistd",
        "sqlalchemy.dialects.sqlite",
        "sqlite3",
        "presence.master.buildslave",
        "presence.master.service",
    ),
    "buildbot_worker": (
        "buildbot_worker.scripts.runner",
        "buildbot_worker.scripts.start",
        "buildbot_worker.bot",
        "twisted.scripts.twistd",
    ),
}


# the answer is for who has asked last
_one = threading.Lock()


class WarmProcess:
    """A process that was forked for us. The methods are those of `subprocess.Popen`, but its status is not known."""

    def __init__(self, pid, stdin):
        self.pid = pid
        self.stdin = stdin
        # it is not our child: this says when it has ended, whoever gets its number next
        self._handle = os.pidfd_open(pid)

    def poll(self):
        """None while it runs, then 0."""
        if self._handle is None:
            return 0
        if not select.select([self._handle], [], [], 0)[0]:
            return None
        return self._ended()

    def wait(self, timeout):
        """Wait until it has ended; `subprocess.TimeoutExpired` after so many seconds."""
        if self._handle is None:
            return 0
        if not select.select([self._handle], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
        return self._ended()

    def send_signal(self, signum):
        if self.poll() is None:
            signal.pidfd_send_signal(self._handle, signum)

    def terminate(self):
        self.send_signal(signal.SIGTERM)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def _ended(self):
        os.close(self._handle)
        self._handle = None
        return 0


def launch(kind, arguments, output, environment):
    """A process of `kind`, one of `MODULES`, with these arguments of its command line.

    `output` is a file for what it prints; its standard input is a pipe from this process.
    """
    channel = _parent(kind)
    there, here = os.pipe()
    try:
        order = json.dumps({"arguments": arguments, "environment": environment}).encode()
        with _one:
            socket.send_fds(channel, [order], [there, output.fileno()])
            answer = channel.recv(64)
    finally:
        os.close(there)
    if not answer:
        os.close(here)
        raise AssertionError(f"the process that has imported {kind} has ended")
    return WarmProcess(int(answer), os.fdopen(here, "wb"))


@cache
def isPossible():
    """Whether this system can tell when a process has ended that is not our child."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


@cache
def _parent(kind):
    """The socket to the process that has imported all that `kind` needs."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, __file__, kind, str(theirs.fileno())], pass_fds=[theirs.fileno()]
    )
    theirs.close()

    def end():
        ours.close()
        process.wait(30)

    atexit.register(end)
    return ours


# --- in the parent


def serve(kind, channel):
    """Import what `kind` needs, and fork for whoever asks, until nobody does any more."""
    # a session of its own: Ctrl-C is for who asks
    os.setsid()
    sys.path[0] = ""
    for module in MODULES[kind]:
        with contextlib.suppress(ImportError):  # (not every version has every one)
            __import__(module)
    if kind == "buildbot":
        _spare_the_disk()
    while True:
        order, files, _flags, _address = socket.recv_fds(channel, 1 << 20, 2)
        # those that have ended are here until now: whoever asked for them has opened his handle
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not order:
            return
        pid = os.fork()
        if not pid:
            channel.close()
            _become(kind, json.loads(order), files)
        for each in files:
            os.close(each)
        channel.send(str(pid).encode())


def _spare_the_disk():
    """SQLite waits for the disk at each commit: that is for a machine that crashes, and no test lets it."""
    from sqlalchemy import event  # noqa: PLC0415
    from sqlalchemy.engine import Engine  # noqa: PLC0415

    @event.listens_for(Engine, "connect")
    def connected(connection, _record):
        if type(connection).__module__ == "sqlite3":
            connection.execute("PRAGMA synchronous = OFF")


def _become(kind, order, files):
    stdin, output = files
    for source, target in ((stdin, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    for each in files:
        os.close(each)
    # a test job that was started in the background has it ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    _renew_reactor()
    sys.argv = ["-c", *order["arguments"]]
    from importlib import import_module  # noqa: PLC0415

    import_module(f"{kind}.scripts.runner").run()
    sys.exit()


def _renew_reactor():
    """The modules know the reactor of the parent, whose descriptors all its children would share: it is made anew in its place."""
    reactor = sys.modules.get("twisted.internet.reactor")
    if reactor is None:
        return
    poller = getattr(reactor, "_poller", None)
    for each in (*reactor._internalReaders, poller):
        if each is not None:
            with contextlib.suppress(AttributeError, OSError):
                each.close()
    reactor.__init__()


if __name__ == "__main__":
    serve(sys.argv[1], socket.socket(fileno=int(sys.argv[2])))
