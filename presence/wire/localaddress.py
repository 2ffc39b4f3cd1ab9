"""`presence-local.json`: where a running worker listens for its owner, and the token that opens it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from presence import files
from presence.errors import PresenceError

#: The name of the file.
FILENAME = "presence-local.json"

#: The name of the file with which a browser is let in.
OPEN_FILENAME = "presence-open.html"

_VERSION = 1

# Longer than anything that was ever written there, in bytes.
_MAX_SIZE = 4096


class LocalFileError(PresenceError):
    """The file cannot be read. The text says why, and what to do."""


# (a dataclass takes a quarter of the time that a command needs to begin)
class LocalAddress(NamedTuple):
    """Where the worker listens: `port` of 127.0.0.1; the `token` is the owner's alone. `pid` is its process."""

    pid: int
    port: int
    token: str

    def __repr__(self) -> str:
        # a log is no place for the token
        return f"LocalAddress(pid={self.pid}, port={self.port})"


class LocalFile:
    """The file in `basedir`."""

    def __init__(self, basedir: str) -> None:
        self.path = Path(basedir) / FILENAME

    def write(self, address: LocalAddress) -> None:
        """Say where the worker listens. Raises `OSError`."""
        content = json.dumps({"version": _VERSION, **address._asdict()})
        files.write(self.path, content.encode() + b"\n")

    def read(self) -> LocalAddress | None:
        """What it says; None when there is none: the worker does not run. Raises `LocalFileError`."""
        try:
            return _address(json.loads(files.read(self.path, _MAX_SIZE)))
        except FileNotFoundError:
            return None
        except PermissionError:
            raise LocalFileError(
                f"{self.path} may not be read by you: it is for the account that runs the worker; run this as "
                "that account, as in `sudo -u ACCOUNT presence …`"
            ) from None
        except (OSError, ValueError, RecursionError) as problem:
            raise LocalFileError(
                f"{self.path} cannot be read ({problem}): restart the worker, which writes it anew"
            ) from problem

    def remove(self, token: str) -> None:
        """Remove it, unless a worker that was started in the meantime has written its own."""
        try:
            address = self.read()
        except LocalFileError:
            return
        if address is not None and address.token == token:
            files.remove(self.path)


def _address(document: Any) -> LocalAddress:
    if not isinstance(document, dict) or document.get("version") != _VERSION:
        raise ValueError(f"it is not of version {_VERSION}")
    pid, port, token = (document.get(name) for name in ("pid", "port", "token"))
    if not (type(pid) is int and pid > 0 and type(port) is int and 0 < port < 1 << 16):
        raise ValueError("it names no process and port")
    if not (isinstance(token, str) and token.isalnum() and token.isascii()):
        raise ValueError("it has no token")
    return LocalAddress(pid, port, token)
