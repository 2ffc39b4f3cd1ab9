"""Which accounts of this machine may speak with the worker, besides its own: the kernel says who has connected to a socket.

An account that is let in is told what stands in `presence-local.json`, which it may not read. So it needs neither
sudo, nor a file that others can read too.
"""

from __future__ import annotations

import os
import socket
import struct
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import maybeDeferred, succeed
from twisted.internet.protocol import Factory, Protocol
from twisted.logger import Logger

from presence import files
from presence.wire.localaddress import SOCKET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from presence.wire.localaddress import LocalAddress

_log = Logger()

# what the kernel says of who has connected: process, user, group
_CREDENTIALS = struct.Struct("3i")

#: What stands before the name of a group.
GROUP = "@"


def checkOwners(value: object) -> tuple[str, ...]:
    """The accounts and ``@groups`` in `value`. Raises `ValueError`."""
    owners = tuple(value) if isinstance(value, (list, tuple, set, frozenset)) else (value,)
    for each in owners:
        if not isinstance(each, str) or not each.removeprefix(GROUP) or not each.isprintable():
            raise ValueError(f'owners: {each!r} is not an account: write "ann", or "{GROUP}lab" for a group')
    if owners and not hasattr(socket, "SO_PEERCRED"):
        raise ValueError(
            "owners: on this system nobody says which account has connected: this works on Linux only"
        )
    return owners


def isOwner(uid: int, owners: Iterable[str], own: int) -> bool:
    """Whether the account of this number is one of `owners`, or in a group of them; `own`, the worker's, and root always are.

    It is looked up each time: who is taken out of a group is out. A name that nobody has lets nobody in.
    """
    import grp  # noqa: PLC0415 (Unix alone has them)
    import pwd  # noqa: PLC0415

    if uid in {0, own}:
        return True
    try:
        account = pwd.getpwuid(uid)
    except KeyError:
        return False
    if account.pw_name in owners:
        return True
    for group in os.getgrouplist(account.pw_name, account.pw_gid):
        try:
            if f"{GROUP}{grp.getgrgid(group).gr_name}" in owners:
                return True
        except KeyError:  # noqa: PERF203 (some)
            continue
    return False


class OwnersSocket:
    """A socket in `basedir`, open to all, at which `owners` are told the address; everybody else gets nothing."""

    def __init__(self, basedir: str, owners: tuple[str, ...], reactor: Any) -> None:
        self._path = Path(basedir).absolute() / SOCKET
        self._owners = owners
        self._own = os.geteuid()
        self._reactor = reactor
        self._port: Any = None

    def open(self, address: LocalAddress) -> None:
        """Tell it from now on."""
        files.remove(self._path)  # of a process that was killed
        factory = _Telling(partial(isOwner, owners=self._owners, own=self._own), address.content())
        try:
            # (nobody stays: who is answered is gone)
            self._port = self._reactor.listenUNIX(str(self._path), factory, mode=0o666)
        except Exception as problem:  # noqa: BLE001
            # whatever it is, the worker goes on building
            _log.error(
                "presence: the owners {owners} cannot be let in: {problem}",
                owners=", ".join(self._owners),
                problem=problem,
            )

    def close(self) -> Deferred[None]:
        """Tell nobody any more. A Deferred that fires when the socket is gone."""
        port, self._port = self._port, None
        if port is None:
            return succeed(None)
        return maybeDeferred(port.stopListening).addErrback(_is_gone)


def _is_gone(failure: Failure) -> None:
    # somebody has removed it
    failure.trap(FileNotFoundError)  # type: ignore[no-untyped-call]


class _Telling(Factory):
    noisy = False

    def __init__(self, mayKnow: Callable[[int], bool], content: bytes) -> None:
        self._may_know = mayKnow
        self._content = content

    def buildProtocol(self, addr: Any) -> Protocol:  # noqa: ARG002 (it has none)
        return _Answer(self._may_know, self._content)


class _Answer(Protocol):
    def __init__(self, mayKnow: Callable[[int], bool], content: bytes) -> None:
        self._may_know = mayKnow
        self._content = content

    def connectionMade(self) -> None:
        transport: Any = self.transport
        known = transport.getHandle().getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        _, uid, _ = _CREDENTIALS.unpack(known)
        if self._may_know(uid):
            transport.write(self._content)
        transport.loseConnection()
