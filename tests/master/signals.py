"""A master in the process of the tests must not take its signals.

Buildbot's takes SIGTERM, SIGHUP and SIGUSR1 of its process. Whoever ends a run of tests (`timeout`, a CI) would end the
master instead, which here is nobody's child, and that as an error of whichever test runs.
"""

from types import SimpleNamespace

from buildbot import master


def leaveSignalsAlone(case):
    """Until the end of this test."""
    case.patch(master, "signal", SimpleNamespace(SIGTERM=None, signal=lambda number, handler: None))
