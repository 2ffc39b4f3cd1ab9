"""Speaks with the worker that runs in a directory: over 127.0.0.1, with the token in `presence-local.json`."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from presence import files
from presence.commands.exits import FAILED, NOT_RUNNING, REFUSED, USAGE
from presence.commands.http import PATIENCE, ConnectionFailed, HTTPClient, errorIn
from presence.wire.localaddress import FILENAME, LocalFile, LocalFileError
from presence.wire.processes import PROCESSES_KNOWN, isAlive, pidIn

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator
    from http.client import HTTPResponse

    from presence.wire.localaddress import LocalAddress

# How long a process may take to end when it no longer listens, and when it was killed, in seconds; and how often
# is looked.
_ENDING = 60.0
_DYING = 2.0
_INTERVAL = 0.05

# Longer than any tac file, in bytes.
_MAX_TAC = 1 << 20

_OK, _UNAUTHORIZED = 200, 401
_REFUSALS = (400, 409, 413, 507)


def addBasedir(parser: ArgumentParser) -> None:
    """Let the command be told which worker it is about: see `basedirOf()`."""
    parser.add_argument(
        "--basedir",
        type=Path,
        action="append",
        metavar="DIRECTORY",
        help="the worker's directory (default: PRESENCE_BASEDIR, or this one)",
    )


def addAll(parser: ArgumentParser) -> None:
    """Let the command be for several workers: see `basedirsOf()`."""
    addBasedir(parser)
    parser.add_argument(
        "--all",
        action="store_true",
        help="every worker in these directories, and directly below them; --basedir may be given several times, and "
        f"PRESENCE_BASEDIR name several, with {os.pathsep!r} between them",
    )


def basedirsOf(options: Namespace) -> list[Path]:
    """The directories of the workers that the command is for: with ``--all`` those in and directly below all that are named, which
    have a presence. Raises `LocalError`.
    """
    if not options.all:
        return [basedirOf(options)]
    given = [Path(each) for each in (os.environ.get("PRESENCE_BASEDIR") or ".").split(os.pathsep) if each]
    roots: list[Path] = options.basedir or given
    found: list[Path] = []
    for root in roots:
        try:
            below = sorted(each for each in root.iterdir() if each.is_dir())
        except OSError:
            below = []
        found += [each for each in (root, *below) if _has_presence(each) and each not in found]
    if not found:
        where = ", ".join(_shown(each) for each in roots)
        raise LocalError(USAGE, f"no worker with a presence is in {where}, nor directly below")
    return found


def _has_presence(basedir: Path) -> bool:
    try:
        if (basedir / FILENAME).exists():
            return True
        return b"PresenceClient" in files.read(basedir / "buildbot.tac", _MAX_TAC)
    except OSError:
        return False


def basedirOf(options: Namespace) -> Path:
    """The worker's directory that the command line names, else that of ``PRESENCE_BASEDIR``, else this one. Raises `LocalError`
    for several.
    """
    named: list[Path] = options.basedir or [Path(os.environ.get("PRESENCE_BASEDIR") or ".")]
    if len(named) > 1:
        raise LocalError(
            USAGE, f"--basedir is there {len(named)} times: one command is for one worker, so run it for each"
        )
    return named[0]


class LocalError(Exception):
    """It did not work. The text says why, and what to do; `status` is the exit status of the command."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class NotStartedError(LocalError):
    """The worker has a presence, and does not run."""

    def __init__(self, text: str) -> None:
        super().__init__(NOT_RUNNING, text)


class LocalClient:
    """The worker that runs in `basedir`. Raises `LocalError`, here too, when there is none."""

    def __init__(self, basedir: Path) -> None:
        self.basedir = basedir
        self._file = LocalFile(str(basedir))
        try:
            address = self._file.read()
        except LocalFileError as problem:
            raise LocalError(FAILED, str(problem)) from None
        if address is None:
            raise _nobody(basedir)
        if not isAlive(address.pid):
            raise _deaf(basedir) or NotStartedError(
                f"the worker in {_shown(basedir)} is not running: it was killed"
            )
        self.address: LocalAddress = address
        self._http = HTTPClient(f"127.0.0.1:{address.port}", "/api/")

    def status(self) -> dict[str, Any]:
        """What the worker knows of itself."""
        return self._asked("GET", "status")

    def say(self, order: str, **arguments: Any) -> dict[str, Any]:
        """Order something; the status after it."""
        return self._asked("POST", order, arguments)

    def ticket(self) -> tuple[str, str]:
        """The name of the worker, and the secret with which a browser enters."""
        answer = self._asked("POST", "ticket")
        return answer["name"], answer["ticket"]

    def statuses(self) -> Iterator[dict[str, Any]]:
        """The status now, and after every change; until the worker ends."""
        try:
            response = self._send("GET", "events")
        except LocalError as problem:
            if problem.status == NOT_RUNNING:
                return
            raise
        try:
            self._check(response)
            for _, data in self._http.events(response):
                yield json.loads(data)
        except ConnectionFailed:
            if not self.waitUntilEnded(_DYING):
                raise LocalError(FAILED, "the connection to the worker was lost") from None

    def waitUntilEnded(self, patience: float = _ENDING) -> bool:
        """Wait until the process has ended, which listens no more; False when it takes longer than `patience`."""
        end = time.monotonic() + patience
        while not self._has_ended():
            if time.monotonic() > end:
                return False
            time.sleep(_INTERVAL)
        return True

    def _has_ended(self) -> bool:
        if PROCESSES_KNOWN:
            return not isAlive(self.address.pid)
        try:
            now = self._file.read()
        except LocalFileError:
            return False
        # it has taken its file away, or another has put its own there
        return now is None or now.token != self.address.token

    def _asked(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = json.loads(self._check(self._send(method, path, body)))
        except (*ConnectionFailed, ValueError) as problem:
            raise LocalError(FAILED, f"the worker's answer cannot be read: {problem}") from None
        finally:
            self._http.close()
        return answer

    def _send(self, method: str, path: str, body: Any = None) -> HTTPResponse:
        try:
            return self._http.send(method, path, body, {"Authorization": f"Bearer {self.address.token}"})
        except ConnectionRefusedError:
            raise NotStartedError(
                f"the worker in {_shown(self.basedir)} does not listen: it has ended, or just ends"
            ) from None
        except TimeoutError:
            raise LocalError(
                FAILED, f"the worker has not answered within {PATIENCE:.0f} s: see twistd.log"
            ) from None
        except ConnectionFailed as problem:
            if self._has_ended():
                raise LocalError(NOT_RUNNING, "the worker has ended") from None
            raise LocalError(FAILED, f"the worker cannot be asked: {problem}") from None

    def _check(self, response: HTTPResponse) -> bytes:
        """The answer; of a stream nothing is read. Raises what the worker says when it says no."""
        if response.status == _OK and response.getheader("Content-Type", "").startswith("text/event-stream"):
            return b""
        content = response.read()
        if response.status == _OK:
            return content
        if response.status == _UNAUTHORIZED:
            raise LocalError(
                NOT_RUNNING,
                f"the worker in {_shown(self.basedir)} is not running: another program listens on its port",
            )
        said = errorIn(content) or content.decode("utf-8", "replace").strip()
        raise LocalError(REFUSED if response.status in _REFUSALS else FAILED, said)


def _nobody(basedir: Path) -> LocalError:
    """Why there is no worker to speak with."""
    tac = basedir / "buildbot.tac"
    if not tac.exists():
        return LocalError(
            USAGE,
            f"{_shown(basedir)} is not a worker's directory: go to that of the worker, or name it with --basedir or PRESENCE_BASEDIR",
        )
    try:
        text = tac.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = "PresenceClient"  # and not ours to read
    if re.search(r"localPort\s*=\s*None", text):
        return LocalError(
            NOT_RUNNING,
            f"the worker in {_shown(basedir)} takes no orders from here: its buildbot.tac says localPort=None. Take that "
            "out, and restart it",
        )
    if "PresenceClient" in text:
        return _deaf(basedir) or NotStartedError(
            f"the worker in {_shown(basedir)} is not running: buildbot-worker start {_shown(basedir)}"
        )
    return LocalError(
        NOT_RUNNING,
        f"the worker in {_shown(basedir)} has no presence: presence install {_shown(basedir)}, and restart it",
    )


def _deaf(basedir: Path) -> LocalError | None:
    """That the worker runs and cannot be asked, and why; None when it does not run."""
    process = pidIn(basedir)
    if process is None or not PROCESSES_KNOWN or not isAlive(process):
        return None
    try:
        older = (basedir / "twistd.pid").stat().st_mtime < (basedir / "buildbot.tac").stat().st_mtime
    except OSError:
        return None
    why = (
        f"it was started before buildbot.tac was changed: buildbot-worker restart {_shown(basedir)}"
        if older
        else f"it cannot write {FILENAME} (is the disk full? it tries again), or was just started: twistd.log says why"
    )
    return LocalError(
        FAILED, f"the worker in {_shown(basedir)} runs (process {process}) and cannot be asked: {why}"
    )


def _shown(basedir: Path) -> str:
    return str(basedir.absolute() if str(basedir) == "." else basedir)
