"""Whether a reconfiguration was ordered from inside of a build: one that waited for the end of the order would wait for itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks

from presence.master.builds.running import allBuilds, isLost, waitingFor

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from twisted.internet.defer import Deferred

# What a command orders one with: `buildbot reconfig`, `presence reconfig`, or the signal. (One that does not, and is taken for
# one, costs no more than a line in the log.)
_ORDERS = re.compile(r"\b(buildbot|presence)\b.*\breconfig\b|\bkill\b.*HUP\b", re.DOTALL)


def insideOf(master: Any, ancestors: Iterable[str]) -> Deferred[frozenset[int]]:
    """The ids of the builds that wait for a process with these ancestors, itself included, each "PID DIRECTORY" of where it runs; in
    a Deferred.

    A step that runs on the master knows its process. Of a worker the directory is known; whatever it builds may be meant.
    """
    pids, directories = set(), set()
    for each in ancestors:
        pid, _, directory = each.partition(" ")
        pids.add(pid)
        directories.add(f"{directory.rstrip('/')}/")

    def isMeant(build: Any) -> bool:
        wfb = build.workerforbuilder
        basedir = None if wfb is None else getattr(wfb.worker, "worker_basedir", None)
        return _pid(build.currentStep) in pids or (
            isinstance(basedir, str)
            and any(each.startswith(f"{basedir.rstrip('/')}/") for each in directories)
        )

    return _with_parents(master, [each for each in _running(master) if isMeant(each)])


def ordering(master: Any) -> Deferred[frozenset[int]]:
    """The ids of the builds whose present command orders a reconfiguration of some Buildbot, and of those that wait for them; in a
    Deferred. A signal does not tell who has sent it.
    """
    return _with_parents(master, [each for each in _running(master) if _ORDERS.search(_command(each))])


def _running(master: Any) -> list[Any]:
    return [each for each in allBuilds(master) if each.buildid is not None and not isLost(each)]


def _pid(step: Any) -> str | None:
    """The id of the process that a step of the master (`MasterShellCommand`) runs, as a text."""
    process = getattr(getattr(step, "process", None), "process", None)
    pid = getattr(process, "pid", None)
    return None if pid is None else str(pid)


def _command(build: Any) -> str:
    """What its present step runs, as a text."""
    command = getattr(build.currentStep, "command", None)
    if isinstance(command, (list, tuple)):
        return " ".join(map(str, command))
    return command if isinstance(command, str) else ""


@inlineCallbacks
def _with_parents(master: Any, builds: Iterable[Any]) -> Generator[Deferred[Any], Any, frozenset[int]]:
    found: set[int] = set()
    for build in builds:
        found.add(build.buildid)
        for request in build.requests:
            found.update((yield waitingFor(master, request.bsid)))
    return frozenset(found)
