"""From inside of which builds a command is given: it must not wait for their ends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from presence.text import plain
from presence.wire.processes import lineage

if TYPE_CHECKING:
    from collections.abc import Iterable

# What is in the directory of every master and worker; and longer than the directories are that the master takes.
_TAC = "buildbot.tac"
_LONGEST = 500


def ancestors() -> dict[str, list[str]]:
    """What the master knows by whether this runs in one of its builds; nothing where no Buildbot has started it."""
    # where the system does not tell of processes a build is known by where it runs
    told = [(pid, each) for pid, each in lineage() or _directories() if _is_told(each)]
    return {"ancestors": [f"{pid} {each}" for pid, each in told]} if any(map(_has_tac, told)) else {}


def partOf(builds: Iterable[dict[str, Any]]) -> str:
    """How the message begins about these builds, of which the command is a part."""
    names = ", ".join(f"{each['builder']} #{each['number']}" for each in builds)
    return plain(f"this is part of {names}")


def _directories() -> list[tuple[int, str]]:
    try:
        here = Path.cwd()
    except OSError:
        return []  # somebody has removed it
    return [(0, str(each)) for each in (here, *here.parents)]


def _has_tac(told: tuple[int, str]) -> bool:
    try:
        return bool(told[1]) and Path(told[1], _TAC).is_file()
    except OSError:
        return False


def _is_told(directory: str) -> bool:
    """Whether a master takes it: neither too long, nor of signs that nobody can read."""
    return len(directory) < _LONGEST and plain(directory) == directory
