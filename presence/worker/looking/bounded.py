"""A program that is run, bounded in time and in what it says."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING

from presence.worker.looking.cannottell import CannotTellError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: How long a program may take, in seconds, and how much it may say, in bytes.
PATIENCE = 20.0
LIMIT = 64 * 1024

_CHUNK = 16 * 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program has ended: its exit status (negative: minus the number of the signal), and what it has said."""

    status: int
    said: bytes


def run(arguments: Sequence[str] | str, patience: float = PATIENCE) -> Outcome:
    """Run the program (as text: a command of the shell) until it has closed what it says and has ended. It blocks.

    Raises `CannotTellError` when it cannot be started, takes longer than `patience` seconds, or says more than `LIMIT` bytes; it
    has been killed then, with all of its process group.
    """
    try:
        process = subprocess.Popen(  # noqa: S603 (the owner's own command)
            arguments,
            shell=isinstance(arguments, str),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # a process group of its own, which is killed as a whole
            start_new_session=True,
        )
    except (OSError, ValueError) as problem:
        raise CannotTellError(f"it cannot be started: {problem}") from None
    deadline = time.monotonic() + patience
    try:
        said = _read(process, deadline)
        status = process.wait(max(0.0, deadline - time.monotonic()))
    except (TimeoutError, subprocess.TimeoutExpired):
        raise CannotTellError(f"it has not ended within {patience:g} s, and was killed") from None
    finally:
        _end(process)
    return Outcome(status, said)


def _read(process: subprocess.Popen[bytes], deadline: float) -> bytes:
    """All that it says. Raises `TimeoutError`, and `CannotTellError` for too much."""
    assert process.stdout is not None  # noqa: S101 (it is a pipe)
    if os.name != "posix":
        return _read_elsewhere(process, deadline)
    descriptor, said = process.stdout.fileno(), b""
    while True:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise TimeoutError
        chunk = os.read(descriptor, _CHUNK)
        if not chunk:
            return said
        said += chunk
        _check_length(said)


def _read_elsewhere(process: subprocess.Popen[bytes], deadline: float) -> bytes:
    """Where a pipe cannot be waited for: a thread reads it."""
    found: list[bytes] = []
    assert process.stdout is not None  # noqa: S101 (it is a pipe)
    reader = Thread(
        target=lambda pipe: found.append(pipe.read(LIMIT + 1)), args=(process.stdout,), daemon=True
    )
    reader.start()
    reader.join(max(0.0, deadline - time.monotonic()))
    if not found:
        raise TimeoutError
    _check_length(found[0])
    return found[0]


def _check_length(said: bytes) -> None:
    if len(said) > LIMIT:
        raise CannotTellError(f"it says more than {LIMIT // 1024} KB, and was killed")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of it, and reap it."""
    if os.name == "posix":
        # also what it has left behind in its group, which has the number of the process as long as anybody is in it
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
    elif process.poll() is None:
        process.kill()
    # (elsewhere a thread may still read: closing would wait for it)
    if os.name == "posix" and process.stdout is not None:
        process.stdout.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(1.0)
