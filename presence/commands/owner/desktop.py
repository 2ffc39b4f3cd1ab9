"""`presence install --desktop`: an entry in the menu of a desktop that opens the page as a window, with away and back."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from presence import files
from presence.commands.exits import DONE, FAILED, REFUSED
from presence.commands.owner.services import checkPrintable, plainName
from presence.commands.terminal import complain

if TYPE_CHECKING:
    from collections.abc import Sequence

_ENTRY = """\
[Desktop Entry]
Type=Application
Name=Buildbot worker {name}
Comment=Say away and back to the worker on this machine
Exec={open}
Icon=computer
Terminal=false
Categories=Development;
Actions=away;back;

[Desktop Action away]
Name=Away for an hour
Exec={away}

[Desktop Action back]
Name=Back
Exec={back}
"""

_READABLE = 0o644


def entry(basedir: Path, programs: Path) -> str:
    """The entry for the worker in `basedir`; `programs` is the folder of `presence`. `ValueError` for what cannot be written in one."""
    checkPrintable("a desktop entry", basedir, programs)
    start, where = str(programs / "presence"), ["--basedir", str(basedir)]
    return _ENTRY.format(
        name=basedir.name.replace("\\", "\\\\"),
        open=_command([start, "open", "--window", *where]),
        away=_command([start, "away", "--for", "1h", *where]),
        back=_command([start, "back", *where]),
    )


def writeEntry(basedir: Path) -> int:
    """Write it for this account; the exit status."""
    basedir = basedir.resolve()
    own = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    path = own / "applications" / f"buildbot-presence-{plainName(basedir)}.desktop"
    try:
        content = entry(basedir, Path(sys.executable).parent)
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, content.encode(), mode=_READABLE)
    except ValueError as problem:
        return complain(problem, REFUSED)
    except OSError as problem:
        return complain(f"{path} cannot be written: {problem.strerror}", FAILED)
    print(f"{path} is written: the menu has the worker now.")
    return DONE


def _command(words: Sequence[str]) -> str:
    """A command line, as the Desktop Entry Specification has it: each word quoted, and all of it a string with escapes."""
    quoted = " ".join(_word(word) for word in words)
    return quoted.replace("\\", "\\\\")


def _word(word: str) -> str:
    escaped = re.sub(r'(["`$\\])', r"\\\1", word.replace("%", "%%"))
    return word if re.fullmatch(r"[A-Za-z0-9_./:=-]+", word) else f'"{escaped}"'
