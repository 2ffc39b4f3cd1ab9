"""What is looked at in the directory of a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from presence.commands.doctor.finding import note, problem, well
from presence.commands.owner.environment import lacking
from presence.worker import tacfile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from presence.commands.doctor.finding import Finding


def isInstalled(directory: Path) -> bool:
    """Whether the owner's side is in `buildbot.tac`, as far as can be told: it may be, where that is not understood."""
    try:
        return _has_client(directory)
    except tacfile.TacFileError:
        return True


def check(directory: Path) -> Iterator[Finding]:
    """Whether the owner's side is installed, and can keep what it is told."""
    try:
        there = _has_client(directory)
    except tacfile.TacFileError as error:
        yield problem(f"buildbot.tac: {error}", "correct it")
        return
    if there:
        yield well("the owner's side is in buildbot.tac")
        why = lacking(directory)
        if why is not None:
            what, _, todo = why.rpartition(": ")
            yield problem(f"{what}: it will not start", todo)
    else:
        yield note(
            "the owner's side is not in buildbot.tac",
            f"presence install {directory}, if the owner wants a say",
        )
    probe = directory / ".presence-doctor"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        yield problem(
            f"nothing can be stored here: {error.strerror}",
            f"make {directory} writable for the worker's account",
        )


def _has_client(directory: Path) -> bool:
    source = (directory / "buildbot.tac").read_bytes()
    return tacfile.installed(source) == source
