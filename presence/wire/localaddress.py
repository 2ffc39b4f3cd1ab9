"""`presence-local.json`: where a running worker listens for its owner, and the token that opens it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from presence import files
from presence.errors import PresenceError

#: The name of the file.
FILENAME = "presence-local.json"

#: The name of the socket at which a worker tells the accounts of its owners the same.
SOCKET = "presence-local.socket"

#: The name of the file with which a browser is let in.
OPEN_FILENAME = "presence-open.html"

_VERSION = 1

# Longer than anything that was ever written there, in bytes.
_MAX_SIZE = 4096

# How long a worker may take to answer at its socket, in seconds.
_PATIENCE = 10.0


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

    def content(self) -> bytes:
        """It, as it is written and told."""
        return json.dumps({"version": _VERSION, **self._asdict()}).encode() + b"\n"


class LocalFile:
    """The file in `basedir`."""

    def __init__(self, basedir: str) -> None:
        self.path = Path(basedir) / FILENAME

    def write(self, address: LocalAddress) -> None:
        """Say where the worker listens. Raises `OSError`."""
        files.write(self.path, address.content())

    def read(self) -> LocalAddress | None:
        """What it says; None when there is none: the worker does not run. Raises `LocalFileError`."""
        try:
            return _address(json.loads(files.read(self.path, _MAX_SIZE)))
        except FileNotFoundError:
            return None
        except PermissionError:
            return self._asked()
        except (OSError, ValueError, RecursionError) as problem:
            raise LocalFileError(
                f"{self.path} cannot be read ({problem}): restart the worker, which writes it anew"
            ) from problem

    def _asked(self) -> LocalAddress:
        """What the worker tells an account that may not read the file: those of its owners. Raises `LocalFileError`."""
        import socket  # noqa: PLC0415 (most may read the file)

        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(_PATIENCE)
                connection.connect(str(self.path.with_name(SOCKET)))
                content = b""
                while len(content) < _MAX_SIZE and (more := connection.recv(_MAX_SIZE)):
                    content += more
        except (OSError, AttributeError):  # (elsewhere than on Unix there are none)
            content = b""
        if content:
            try:
                return _address(json.loads(content))
            except (ValueError, RecursionError):
                pass  # an older or later one
        raise LocalFileError(
            f"{self.path} may not be read by you: it is for the account that runs the worker, and for its owners: let that "
            f"account run `presence install --owner YOU {self.path.parent}` and restart the worker, or run this as that "
            "account, as in `sudo -u ACCOUNT presence …`"
        )

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
