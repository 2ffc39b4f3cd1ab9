"""Which Python runs a worker, and whether presence is installed for it: the `presence` command may be in an environment of its own
(pipx makes one), and the worker's buildbot.tac is loaded by the worker's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from presence.wire.processes import pidIn

# The worker's program, as its package installs it.
_PROGRAM = "buildbot-worker"

# It says with its exit status whether what our lines in buildbot.tac import is there.
_LOOK = "import importlib.util as u, sys; sys.exit(0 if u.find_spec('presence') and u.find_spec('presence.worker') else 7)"
_MISSING = 7
_PATIENCE = 30.0

# So much of a program, at most, is read for its first line.
_MAX_SIZE = 4096


def workersPython(basedir: Path) -> Path | None:
    """The Python of the worker in `basedir`: that of the process that runs, else that of `buildbot-worker` beside this command or on
    the PATH. None where that cannot be said.
    """
    return _of_process(basedir) or _of_program(Path(sys.executable).parent / _PROGRAM) or _on_path()


def lacking(basedir: Path) -> str | None:
    """Why the worker in `basedir` could not load its buildbot.tac with presence in it, and what to do; None where it could, or where it
    cannot be said.
    """
    python = workersPython(basedir)
    if python is None or _is_own(python) or not _may_be_run(python):
        return None
    try:
        status = subprocess.run(  # noqa: S603 (see _may_be_run)
            [python, "-c", _LOOK],
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=False,
        ).returncode
    except (OSError, subprocess.SubprocessError):
        return None
    if status != _MISSING:
        return None
    return (
        f"the worker in {basedir} is run by {python}, for which presence is not installed: {_remedy(python)}"
    )


def _remedy(python: Path) -> str:
    parts = python.parts
    if "pipx" in parts and "venvs" in parts[:-1]:
        return f"pipx inject {parts[parts.index('venvs') + 1]} buildbot-presence"
    return f"{python} -m pip install buildbot-presence"


def _of_process(basedir: Path) -> Path | None:
    """That of the worker that runs, as far as the system says it: Linux does."""
    pid = pidIn(basedir)
    if pid is None:
        return None
    process = Path(f"/proc/{pid}")
    with suppress(OSError):
        # (another process may have got its number since)
        if (process / "cwd").samefile(basedir):
            # (not /proc/PID/exe: that is the Python which the environment was made with)
            return _program(os.fsdecode((process / "cmdline").read_bytes().partition(b"\0")[0]))
    return None


def _of_program(program: Path) -> Path | None:
    """That in the first line of a script."""
    with suppress(OSError):
        with program.open("rb") as script:
            first = script.readline(_MAX_SIZE)
        if first.startswith(b"#!"):
            return _program(os.fsdecode(first[2:].strip()).partition(" ")[0])
    return None


def _on_path() -> Path | None:
    found = shutil.which(_PROGRAM)
    return None if found is None else _of_program(Path(found))


def _program(text: str) -> Path | None:
    path = Path(text)
    return path if path.is_absolute() and "python" in path.name and os.access(path, os.X_OK) else None


def _is_own(python: Path) -> bool:
    with suppress(OSError):
        return python.parent.samefile(Path(sys.executable).parent)
    return False


def _may_be_run(python: Path) -> bool:
    """Whether nobody but who asks, or root, decides what it does: root runs no program of another account's."""
    if not hasattr(os, "geteuid"):
        return True
    with suppress(OSError):
        return {python.parent.stat().st_uid, python.stat().st_uid} <= {0, os.geteuid()}
    return False
