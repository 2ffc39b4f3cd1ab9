"""The operator of the master's machine: whoever can read a file in the master's directory, which the master makes at its start."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from twisted.logger import Logger

from presence import files
from presence.master.access.who import BearerError, Who
from presence.wire.operatorfile import FILENAME
from presence.wire.secrets import OPERATOR, digestOf, isSame, newSecret

if TYPE_CHECKING:
    from collections.abc import Iterable

_log = Logger()

#: What the operator is called, in the log and in the rules.
NAME = "operator"

_GROUP_TOO = 0o640


class Operator:
    """Keeps the file in `directory`, and knows who has read it. Nobody has, before `allow()` and after `forbid()`."""

    def __init__(self, directory: str) -> None:
        self._path = Path(directory, FILENAME)
        self._terms: tuple[tuple[str, ...], int | None] | None = None
        self._digest: str | None = None
        self._written: tuple[int, ...] | None = None

    def allow(self, roles: Iterable[str], group: int | None = None) -> None:
        """Let whoever can read the file have these roles: the account of the master, and the group of this number."""
        terms = tuple(roles), group
        if terms != self._terms or self._digest is None:
            self._terms = terms
            self._renew(group)

    def forbid(self) -> None:
        """Let nobody be the operator, and leave no file."""
        if self._terms is not None:
            files.remove(self._path)
        self._terms = self._digest = self._written = None

    def identify(self, secret: str) -> Who:
        """Who has sent this secret. Raises `BearerError`."""
        if self._terms is None or self._digest is None or not isSame(digestOf(secret), self._digest):
            raise BearerError(
                "this master does not know that operator: the file that you have read was another process's, or older"
            )
        if self._seen() != self._written:
            # others may have read it meanwhile
            _log.warn(
                "{path} has been changed: whoever has read it is not the operator any more, and it was written anew",
                path=self._path,
            )
            self._renew(self._terms[1])
            raise BearerError(
                f"{self._path} has been changed, so that others may have read it; it was written anew: try again"
            )
        return Who(NAME, {"username": NAME, "full_name": NAME}, self._terms[0])

    def _renew(self, group: int | None) -> None:
        secret = newSecret(OPERATOR)
        self._digest = self._written = None
        # before, not after: for a moment it might be the old one with other readers
        files.remove(self._path)
        try:
            with files.Directory(self._path.parent) as directory:
                directory.write(
                    FILENAME,
                    f"{secret}\n".encode(),
                    mode=files.PRIVATE if group is None else _GROUP_TOO,
                    owner=None if group is None else (-1, group),
                )
        except OSError as problem:
            _log.warn(
                "{path} cannot be written ({problem}), so nobody can order as the operator: that is tried again with the "
                "next reconfig",
                path=self._path,
                problem=problem,
            )
            return
        self._digest, self._written = digestOf(secret), self._seen()

    def _seen(self) -> tuple[int, ...] | None:
        """What says whether it is still that file, for those readers."""
        try:
            found = os.lstat(self._path)
        except OSError:
            return None
        return found.st_ino, stat.S_IFMT(found.st_mode), found.st_mode, found.st_uid, found.st_gid
