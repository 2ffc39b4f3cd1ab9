"""Who one is for a master: a user and a password, or a token; from the environment, from a file, or from a prompt.

Never from the command line, which every process of the machine can read.
"""

from __future__ import annotations

import getpass
import netrc
import os
import stat
import sys
from pathlib import Path
from typing import NamedTuple

from presence.wire.operatorfile import readOperator


class CredentialsError(Exception):
    """There are credentials, and they cannot be used; the message says why, and what would be right."""


class Credentials(NamedTuple):
    """A user and his password."""

    user: str
    password: str


class Bearer(NamedTuple):
    """What is sent instead: a token, or the secret of the operator, which never leaves this machine unencrypted."""

    secret: str
    isOperator: bool = False


def findCredentials(
    host: str, file: Path | None, masterdir: Path | None = None
) -> Credentials | Bearer | None:
    """What PRESENCE_USER and PRESENCE_PASSWORD say, or PRESENCE_TOKEN; or the entry for `host` in `file`; or what the master in
    `masterdir` has left there for its operator; or the entry in ~/.netrc.
    """
    found = _from_environment()
    if found is None and file is not None:
        found = _from_file(host, file)
    if found is None and masterdir is not None:
        secret = readOperator(masterdir)
        found = None if secret is None else Bearer(secret, isOperator=True)
    return _from_file(host, None) if found is None and file is None else found


def _from_environment() -> Credentials | Bearer | None:
    token = os.environ.get("PRESENCE_TOKEN", "").strip()
    user, password = os.environ.get("PRESENCE_USER"), os.environ.get("PRESENCE_PASSWORD")
    if token and (user or password):
        raise CredentialsError("PRESENCE_TOKEN and PRESENCE_USER are both set: unset one of them")
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise CredentialsError(
            "PRESENCE_TOKEN is not a token: it is one word, as `presence token make` prints it"
        )
    if token:
        return Bearer(token)
    if user and password:
        return Credentials(user, password)
    if user or password:
        missing = "PRESENCE_PASSWORD" if user else "PRESENCE_USER"
        raise CredentialsError(f"{missing} is not set: set both PRESENCE_USER and PRESENCE_PASSWORD, or none")
    return None


def askCredentials(host: str) -> Credentials | None:
    """What somebody answers who sits at the terminal; None when nobody does."""
    if not sys.stdin.isatty():
        return None
    print(f"{host} wants to know who you are.", file=sys.stderr)
    user = getpass.getuser()
    print(f"User [{user}]: ", end="", file=sys.stderr, flush=True)
    return Credentials(sys.stdin.readline().strip() or user, getpass.getpass())


def _from_file(host: str, file: Path | None) -> Credentials | None:
    path = Path.home() / ".netrc" if file is None else file
    try:
        mode = path.stat().st_mode
        entry = netrc.netrc(path).authenticators(host)
    except FileNotFoundError:
        if file is None:
            return None
        raise CredentialsError(f"{path}: there is no such file") from None
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError) as problem:
        if file is None and not isinstance(problem, netrc.NetrcParseError):
            return None
        raise CredentialsError(f"{path}: {problem}") from None
    if entry is None or not entry[0] or not entry[2]:
        return None
    if os.name == "posix" and stat.S_IMODE(mode) & (stat.S_IRWXG | stat.S_IRWXO):
        raise CredentialsError(f"{path} can be read by others: chmod 600 {path}")
    return Credentials(entry[0], entry[2])
