"""The user and the password for a master: from the environment, from a file, or from a prompt.

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


class CredentialsError(Exception):
    """There are credentials, and they cannot be used; the message says why, and what would be right."""


class Credentials(NamedTuple):
    """A user and his password."""

    user: str
    password: str


def findCredentials(host: str, file: Path | None) -> Credentials | None:
    """What PRESENCE_USER and PRESENCE_PASSWORD say, or the entry for `host` in `file` (by default ~/.netrc)."""
    user, password = os.environ.get("PRESENCE_USER"), os.environ.get("PRESENCE_PASSWORD")
    if user and password:
        return Credentials(user, password)
    if user or password:
        missing = "PRESENCE_PASSWORD" if user else "PRESENCE_USER"
        raise CredentialsError(f"{missing} is not set: set both PRESENCE_USER and PRESENCE_PASSWORD, or none")
    return _from_file(host, file)


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
