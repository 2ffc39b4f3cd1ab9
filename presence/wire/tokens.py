"""The tokens of a master, in a file in its directory: for whom, for what, how long. Of the secrets themselves only digests are kept.

The command `presence token` writes it, and the master reads it again for every order: what is revoked is so at once.
"""

from __future__ import annotations

import json
import os
import re
import stat
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from presence import files
from presence.errors import PresenceError
from presence.orders.abilities import readAbilities
from presence.text import MAX_NAME, readLine
from presence.wire.secrets import isSame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: The name of the file: JSON, an object with `version` and `tokens`, a list of the fields of `Token`.
FILENAME = "presence-tokens.json"

#: How many tokens a master may have: beyond it somebody makes one for every order.
MOST = 1000

_VERSION = 1
# Longer than any file, in bytes.
_MAX_SIZE = 4 * 1024 * 1024
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,49}\Z")
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")

# How often another process that writes is waited for, and how long each time, in seconds.
_TRIES, _PAUSE = 100, 0.05


class TokensError(PresenceError):
    """The tokens cannot be read or changed; the message says why, and what would be right."""


@dataclass(frozen=True)
class Token:
    """A token: `name`; the `user` (with `email` and `groups`, as the site's rules know people) for whom it is; what it `may`,
    words of `ABILITIES`; when it was `made` and `expires`, in seconds since the epoch; and the `digest` of its secret.
    """

    name: str
    user: str
    may: tuple[str, ...]
    made: float
    expires: float | None
    digest: str
    email: str | None = None
    groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.match(self.name):
            raise ValueError(
                f"{self.name!a} is not a name for a token: take up to 50 letters, digits, dots, dashes and underscores"
            )
        for each in (self.user, *(() if self.email is None else (self.email,)), *self.groups):
            if not readLine(each, MAX_NAME).strip():
                raise ValueError("name the user, the address or the group: it is empty")
        if self.may != readAbilities(self.may):
            raise ValueError(f"{self.may} is not in order")
        if not _DIGEST.match(self.digest):
            raise ValueError("the digest is not one")
        # (what is not a number raises here)
        if not self.made >= 0 or not (self.expires is None or self.expires >= 0):
            raise ValueError("made and expires are not instants")

    def isOver(self, now: float) -> bool:
        """Whether it has expired at the instant `now`."""
        return self.expires is not None and now >= self.expires


class TokensReader:
    """The tokens of `masterdir`, read again when the file has changed: also when its mode or its owner has."""

    def __init__(self, masterdir: Path) -> None:
        self._masterdir = masterdir
        self._seen: tuple[int, ...] | None = None
        self._tokens: tuple[Token, ...] = ()
        self._problem: TokensError | None = None

    def read(self) -> tuple[Token, ...]:
        """See `readTokens()`."""
        try:
            found = os.lstat(self._masterdir / FILENAME)
        except OSError:
            seen = None
        else:
            seen = (found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size)
        if seen is None or seen != self._seen:
            self._tokens, self._problem = (), None
            try:
                self._tokens = readTokens(self._masterdir)
            except TokensError as problem:
                self._problem = problem
            self._seen = seen
        if self._problem is not None:
            raise self._problem
        return self._tokens


def find(tokens: tuple[Token, ...], digest: str) -> Token | None:
    """The token with this digest. All are compared: how long that takes says nothing."""
    found = [each for each in tokens if isSame(each.digest, digest)]
    return found[0] if found else None


def readTokens(masterdir: Path) -> tuple[Token, ...]:
    """The tokens, those that have expired too; none where there is no file. Raises `TokensError`.

    A file that others can read or write is not taken: they may have put in a token.
    """
    path = masterdir / FILENAME
    try:
        with files.Directory(masterdir) as directory:
            content, found = directory.read(FILENAME, _MAX_SIZE)
        owners = {0, masterdir.stat().st_uid, os.geteuid()} if os.name == "posix" else {found.st_uid}
    except FileNotFoundError:
        return ()
    except OSError as problem:
        raise TokensError(f"{path} cannot be read: {problem.strerror or problem}") from None
    if os.name == "posix" and stat.S_IMODE(found.st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
        raise TokensError(
            f"{path} can be read or written by others, so no token is taken: look whether all in it are yours, "
            f"then: chmod 600 {path}"
        )
    if found.st_uid not in owners:
        raise TokensError(
            f"{path} belongs to another account than {masterdir}, so no token is taken: chown it"
        )
    try:
        read = json.loads(content)
        if read["version"] != _VERSION:
            raise ValueError(f"its version is {read['version']!r}, and {_VERSION} is known")  # noqa: TRY301
        return tuple(
            Token(**{**each, "may": tuple(each["may"]), "groups": tuple(each["groups"])})
            for each in read["tokens"]
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise TokensError(
            f"{path} is not a file of tokens ({problem}), so no token is taken: remove it, and make new ones"
        ) from None


def changeTokens(masterdir: Path, change: Callable[[tuple[Token, ...]], tuple[Token, ...]]) -> None:
    """Let there be what `change` makes of the tokens that there are. Raises `TokensError`, and what `change` raises."""
    with _alone(masterdir):
        content = json.dumps(
            {"version": _VERSION, "tokens": [asdict(each) for each in change(readTokens(masterdir))]},
            indent=1,
        )
        try:
            with files.Directory(masterdir) as directory:
                directory.write(FILENAME, f"{content}\n".encode(), owner=_owner(masterdir), lasting=True)
        except OSError as problem:
            raise TokensError(
                f"{masterdir / FILENAME} cannot be written: {problem.strerror or problem}. "
                "Do it with the account of the master"
            ) from None


def _owner(masterdir: Path) -> tuple[int, int] | None:
    """To whom root gives the file: to the account of the master."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    found = masterdir.stat()
    return found.st_uid, found.st_gid


@contextmanager
def _alone(masterdir: Path) -> Iterator[Any]:
    lock = files.Lock(masterdir)
    for _ in range(_TRIES):
        if lock.acquire():
            break
        time.sleep(_PAUSE)
    else:
        raise TokensError(f"another process changes {masterdir / FILENAME}: try again")
    try:
        yield
    finally:
        lock.release()
