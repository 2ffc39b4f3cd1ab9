"""The note in a master's directory: where its API is, for commands that are given the directory."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

from presence import files
from presence.errors import PresenceError
from presence.wire.processes import isAlive

if TYPE_CHECKING:
    from pathlib import Path

#: The name of the note: JSON, an object with `pid` (of the master) and `url` (null without a web server).
NOTE = "presence-master.json"

#: What it was called before, which is also what a worker's file was called.
OLD_NOTE = "presence.json"

# Longer than any note, in bytes.
_MAX_SIZE = 64 * 1024


class NoMasterError(PresenceError):
    """There is no master to be found in that directory; the message says what would help."""


def urlOf(masterdir: Path) -> str:
    """The URL that the master in this directory has noted there."""
    checkMasterDirectory(masterdir, ", or the web UI with --url")
    try:
        note = json.loads(_note(masterdir))
        url, pid = note["url"], int(note["pid"])
    except FileNotFoundError:
        raise NoMasterError(
            f"the master in {masterdir} does not run, or has no presences: start it, or put "
            "util.PresenceService() into its c['services'] and reconfigure it once in Buildbot's way. If it is "
            "another machine's, name its web UI with --url"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as problem:
        raise NoMasterError(
            f"{masterdir / NOTE} cannot be read ({problem}): name the web UI of the master with --url"
        ) from None
    if not isAlive(pid):
        raise NoMasterError(f"the master in {masterdir} does not run: start it, and it reads its master.cfg")
    if not url:
        raise NoMasterError(
            f"the master in {masterdir} has no web server, over which it could be asked: set c['www'] = "
            "{'port': 'tcp:8010:interface=127.0.0.1'}, or let SIGHUP wait: util.PresenceService(reconfigWhenIdle=True)"
        )
    return str(url)


def checkMasterDirectory(directory: Path, more: str = "") -> None:
    """Raise `NoMasterError` when it is none. `more` is what else might be named."""
    if not (directory / "buildbot.tac").exists():
        raise NoMasterError(
            f"{directory} is not a master's directory: no buildbot.tac is in it. Name one{more}"
        )
    if livesIn(directory) == "worker":
        raise NoMasterError(f"{directory} is a worker's directory: name the master's{more}")


def livesIn(directory: Path) -> Literal["master", "worker"] | None:
    """Who lives in this directory, as its `buildbot.tac` says; None if that says neither."""
    text = ""
    with suppress(OSError):
        text = (directory / "buildbot.tac").read_text(errors="replace")
    if "BuildMaster" in text:
        return "master"
    return "worker" if "buildbot_worker" in text else None


def _note(masterdir: Path) -> bytes:
    try:
        return files.read(masterdir / NOTE, _MAX_SIZE)
    except FileNotFoundError:
        return files.read(masterdir / OLD_NOTE, _MAX_SIZE)
