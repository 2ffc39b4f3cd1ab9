"""A note in the master's directory that says where its API is, for commands that are given the directory."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, inlineCallbacks
from twisted.logger import Logger

from presence import files
from presence.wire.masternote import NOTE, OLD_NOTE

if TYPE_CHECKING:
    from collections.abc import Generator

    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

_log = Logger()

_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (nobody listens there)


class Note:
    """Writes the note when the master has its configuration, and removes it when the master ends."""

    def __init__(self, master: Any) -> None:
        self._master = master
        self._path = Path(master.basedir, NOTE)
        self._waiting: Deferred[None] | None = None

    def write(self) -> None:
        """Write the note: after the configuration that is being taken over, for until then nobody listens."""
        if self._waiting is None:
            self._waiting = self._write()
            self._waiting.addErrback(self._failed)

    def stop(self) -> None:
        """Remove the note."""
        if self._waiting is not None:
            self._waiting.cancel()
        files.remove(self._path)

    def _failed(self, failure: Failure) -> None:
        if not isinstance(failure.value, CancelledError):
            _log.failure("while writing {path}", failure, path=self._path)

    @inlineCallbacks
    def _write(self) -> Generator[Deferred[Any], Any, None]:
        try:
            yield self._master.initLock.acquire()
            self._master.initLock.release()
        finally:
            self._waiting = None
        content = json.dumps({"pid": os.getpid(), "url": urlOf(self._master)})
        try:
            # no secret is in it, and an admin may have an account of his own
            files.write(self._path, f"{content}\n".encode(), mode=0o644)
            files.remove(self._path.with_name(OLD_NOTE))
        except OSError as problem:
            # commands can still be given the URL
            _log.warn("{path} cannot be written: {problem}", path=self._path, problem=problem)


def urlOf(master: Any) -> str | None:
    """Where the API of `master` is, for processes on this machine; None where it has no web server."""
    service = master.www.port_service
    if service is None:
        return None
    # Twisted keeps the port in the Deferred that fired when it began to listen
    port: Any = getattr(getattr(service, "_waitingForPort", None), "result", None)
    host: Any = port.getHost() if hasattr(port, "getHost") else None
    if type(host).__name__ not in {"IPv4Address", "IPv6Address"} or str(master.www.port).startswith("ssl"):
        # a socket of another kind, or one whose certificate is for the name that everybody uses
        return str(master.config.buildbotURL)
    name = str(_ANY.get(host.host, host.host))
    return f"http://[{name}]:{host.port}/" if ":" in name else f"http://{name}:{host.port}/"
