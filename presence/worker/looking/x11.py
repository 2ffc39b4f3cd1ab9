"""How long nobody has used the keyboard and the mouse of an X display, asked over its socket.

The protocol itself, four requests of it, and no library: Xlib ends the process when its display goes.
"""

from __future__ import annotations

import os
import re
import socket
import struct
from pathlib import Path

from presence.worker.looking.cannottell import CannotTellError

#: Where the sockets of this machine's displays are.
SOCKETS = Path("/tmp/.X11-unix")  # noqa: S108 (X's own place)

#: How long the display may take to answer, in seconds.
PATIENCE = 2.0

# as long as anything that is asked for here, in bytes
_LONGEST = 256 * 1024

_COOKIE = b"MIT-MAGIC-COOKIE-1"
_EXTENSION = b"MIT-SCREEN-SAVER"
_QUERY_EXTENSION, _QUERY_INFO = 98, 1
_REPLY = 32  # so long is every reply, error and event at least
_LOCAL = re.compile(r"(?:unix)?:([0-9]+)(?:\.[0-9]+)?")


def displays(sockets: Path = SOCKETS) -> list[str]:
    """The displays of this machine, as numbers: that of `DISPLAY` if it is one, else all that there are."""
    named = _LOCAL.fullmatch(os.environ.get("DISPLAY", ""))
    if named is not None:
        return [named[1]]
    try:
        return sorted(each.name[1:] for each in sockets.iterdir() if re.fullmatch("X[0-9]+", each.name))
    except OSError:
        return []


class Display:
    """Display `number` of this machine. The connection is made when it is asked, and again when it was lost."""

    def __init__(self, number: str, sockets: Path = SOCKETS) -> None:
        self.number = number
        self._path = str(sockets / f"X{number}")
        self._connection: tuple[socket.socket, bytes] | None = None

    def idle(self) -> float:
        """For how many seconds nobody has used it. Raises `CannotTellError`. It blocks, for `PATIENCE` seconds at most."""
        try:
            if self._connection is None:
                self._connection = self._connect()
            connection, query = self._connection
            connection.sendall(query)
            milliseconds: int = struct.unpack_from("<I", _reply(connection), 16)[0]
        except (OSError, struct.error) as problem:
            self.close()
            raise CannotTellError(f"display :{self.number} cannot be asked ({problem})") from None
        except CannotTellError:
            self.close()
            raise
        return milliseconds / 1000

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection[0].close()
            self._connection = None

    def _connect(self) -> tuple[socket.socket, bytes]:
        """The connection, and what asks it."""
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(PATIENCE)
            connection.connect(self._path)
            return connection, self._begin(connection)
        except BaseException:
            connection.close()
            raise

    def _begin(self, connection: socket.socket) -> bytes:
        cookie = _cookie(self.number)
        name = _COOKIE if cookie else b""
        connection.sendall(
            struct.pack("<BxHHHHxx", ord("l"), 11, 0, len(name), len(cookie))
            + _padded(name)
            + _padded(cookie)
        )
        status, length, more = struct.unpack("<BBxxxxH", _exactly(connection, 8))
        setup = _exactly(connection, 4 * more)
        if status != 1:
            why = setup[:length].decode("latin-1").strip() or "more is wanted than a cookie"
            raise CannotTellError(f"display :{self.number} lets this account not in ({why})")
        vendor, formats = struct.unpack_from("<16xHxxxB", setup)
        [root] = struct.unpack_from("<I", setup, 32 + vendor + -vendor % 4 + 8 * formats)
        words = 2 + len(_EXTENSION) // 4
        connection.sendall(struct.pack("<BxHHxx", _QUERY_EXTENSION, words, len(_EXTENSION)) + _EXTENSION)
        present, opcode = struct.unpack_from("<8xBB", _reply(connection))
        if not present:
            raise CannotTellError(f"display :{self.number} does not know how long it is idle")
        return struct.pack("<BBHI", opcode, _QUERY_INFO, 2, root)


def _reply(connection: socket.socket) -> bytes:
    """The next reply; events, which nobody has asked for, are passed over."""
    for _ in range(100):
        head = _exactly(connection, _REPLY)
        if head[0] == 0:
            raise CannotTellError(f"the display has refused it with error {head[1]}")
        if head[0] == 1:
            [more] = struct.unpack_from("<I", head, 4)
            return head + _exactly(connection, 4 * more)
    raise CannotTellError("the display sends events without an end")


def _exactly(connection: socket.socket, length: int) -> bytes:
    if length > _LONGEST:
        raise CannotTellError("what the display says is too long to be X11")
    found = b""
    while len(found) < length:
        piece = connection.recv(length - len(found))
        if not piece:
            raise ConnectionResetError("it has ended the connection")
        found += piece
    return found


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 4)


def _cookie(number: str) -> bytes:
    """What lets us in, of the file that `XAUTHORITY` names; empty where there is none."""
    path = os.environ.get("XAUTHORITY") or str(Path.home() / ".Xauthority")
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LONGEST)
    except OSError:
        return b""
    at = 0
    try:
        while at < len(content):
            at += 2  # the family of the address
            fields = []
            for _ in range(4):  # address, number, name, data
                [length] = struct.unpack_from(">H", content, at)
                fields.append(content[at + 2 : at + 2 + length])
                at += 2 + length
            if fields[1] in {number.encode(), b""} and fields[2] == _COOKIE:
                return fields[3]
    except struct.error:
        pass  # it is cut off
    return b""
