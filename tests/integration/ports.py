"""Ports of the loopback interface, of which no two tests that run side by side get the same."""

import fcntl
import os
import random
import socket
import tempfile
from functools import cache
from pathlib import Path

# Below the ports that systems give out by themselves, so that nobody gets one between its choice and its use, and again
# after a restart.
_FIRST, _SHARE, _SHARES = 20000, 300, 40

_given: set[int] = set()


def freePort():
    """A port that nobody listens on, and that nobody else is given while this process lives."""
    ports = list(set(_share()) - _given)
    for port in random.sample(ports, len(ports)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
    _given.clear()  # those of tests that are over
    return freePort()


@cache
def _share():
    """The ports of this process: it keeps a lock on the file of its share for as long as it lives."""
    for number in range(_SHARES):
        path = Path(tempfile.gettempdir(), f"presence-ports-{os.getuid()}-{number}")
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            continue
        first = _FIRST + number * _SHARE
        return range(first, first + _SHARE)
    raise AssertionError(f"{_SHARES} processes test here already")
