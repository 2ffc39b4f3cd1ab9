"""The command of a build that runs on this machine: put last, stopped, and continued, with all of its process group.

A command is a `RunProcess` of `buildbot_worker`. It is killed as ever: when it is to be killed it is continued first, as
what is stopped cleans nothing up. While it is stopped its timeouts (of Buildbot's worker, without output and altogether) do not run.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import Any

from twisted.logger import Logger

_log = Logger()

#: The least that a process can be given.
LAST = 19

# as they are called by this and by older workers of Buildbot's
_TIMERS = ("ioTimeoutTimer", "maxTimeoutTimer", "timer", "maxTimer")


def groupOf(command: Any) -> int | None:
    """The number of the process group of a command that runs; None when it has none of its own."""
    group = getattr(getattr(command, "process", None), "pgid", None)
    return group if isinstance(group, int) and group > 1 and group != os.getpgid(0) else None


class Eased:
    """A `command` that runs while its owner needs the machine."""

    def __init__(self, command: Any) -> None:
        self.command = command
        self._group = groupOf(command)
        self._before: int | None = None
        self.stopped = False
        #: whether it was to be killed while it was stopped
        self.killed = False

    def putLast(self) -> None:
        """Let every other program have the processors first."""
        if self._group is not None and self._before is None:
            with suppress(OSError):
                before = os.getpriority(os.PRIO_PGRP, self._group)
                os.setpriority(os.PRIO_PGRP, self._group, LAST)
                self._before = before

    def stop(self, ahead: float) -> None:
        """Stop it; its timeouts are put off by `ahead` seconds."""
        if self._group is None or self.stopped or self.killed:
            return
        with suppress(OSError):
            os.killpg(self._group, signal.SIGSTOP)
            self.stopped = True
            kill = self.command.kill

            def continueAndKill(*args: Any, **kwargs: Any) -> Any:
                self.killed = True
                self.goOn()
                return kill(*args, **kwargs)

            self.command.kill = continueAndKill
            self.passed(ahead)

    def passed(self, seconds: float) -> None:
        """So long it was stopped: its timeouts are put off."""
        for name in _TIMERS if self.stopped else ():
            timer = getattr(self.command, name, None)
            if timer is not None and timer.active():
                timer.delay(seconds)

    def goOn(self) -> None:
        """Continue it, if it was stopped."""
        if not self.stopped or self._group is None:
            return
        self.stopped = False
        # what was wrapped on the instance is its class's again
        self.command.__dict__.pop("kill", None)
        with suppress(OSError):
            os.killpg(self._group, signal.SIGCONT)

    def letGo(self) -> None:
        """Let it run as before, as far as that may be done: priority is not given to everybody."""
        self.goOn()
        if self._before is not None and self._group is not None:
            with suppress(OSError):
                os.setpriority(os.PRIO_PGRP, self._group, self._before)
            self._before = None
