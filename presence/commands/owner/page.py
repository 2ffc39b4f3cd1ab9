"""Opening the page of a worker in a browser of this account."""

from __future__ import annotations

import os
import shutil
import subprocess
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from presence import files
from presence.commands import exits
from presence.commands.terminal import complain
from presence.text import plain
from presence.wire.localaddress import OPEN_FILENAME
from presence.worker.local.pages import door

if TYPE_CHECKING:
    from presence.commands.owner.client import LocalClient


# Those that show a page as a window of its own.
_WINDOWS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "brave-browser",
    "microsoft-edge",
    "vivaldi",
)


def openPage(client: LocalClient, *, browser: bool, window: bool) -> int:
    """Let a browser in, and open it there, as a window if one can, or say how one gets in; the exit status."""
    name, ticket = client.ticket()
    port = client.address.port
    path = _door(client.basedir, port) if browser else None
    if path is not None:
        # a file, which nobody else can read: what is given to a browser as an address, everybody can see
        try:
            files.write(path, door(name, port, ticket))
            opened = _show(path.as_uri(), window=window)
        except (OSError, webbrowser.Error) as problem:
            complain(problem, exits.DONE)
            opened = False
        if opened:
            print(f"The page of {plain(name)} opens in your browser: http://127.0.0.1:{port}/")
            return exits.DONE
    print(f"Open http://127.0.0.1:{port}/ within a minute, and give it this code: {ticket}")
    return exits.DONE


def _show(address: str, *, window: bool) -> bool:
    """Show it to the person at this machine; whether that has begun."""
    found = filter(None, map(shutil.which, _WINDOWS)) if window else ()
    return any(_start([program, f"--app={address}"]) for program in found) or webbrowser.open(address)


def _start(command: list[str]) -> bool:
    """Start it, to go on by itself."""
    quiet = subprocess.DEVNULL
    try:
        subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)  # noqa: S603 (from PATH, no shell)
    except OSError:
        return False
    return True


def _door(basedir: Path, port: int) -> Path | None:
    """Where the file goes that lets a browser in, or None where there is no such place."""
    if not hasattr(os, "geteuid") or basedir.stat().st_uid == os.geteuid():
        return basedir.absolute() / OPEN_FILENAME
    # in somebody else's directory he decides what a file says that a browser of ours would open
    ours = Path(os.environ.get("XDG_RUNTIME_DIR") or "/")
    if ours.is_absolute() and ours.is_dir() and ours.stat().st_uid == os.geteuid():
        return ours / f"{port}-{OPEN_FILENAME}"
    return None
