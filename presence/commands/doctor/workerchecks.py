"""What is looked at in the directory of a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from presence.commands.doctor.finding import note, problem, well
from presence.worker import tacfile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from presence.commands.doctor.finding import Finding


def check(directory: Path) -> Iterator[Finding]:
    """Whether the owner's side is installed, and can keep what it is told."""
    source = (directory / "buildbot.tac").read_bytes()
    try:
        there = tacfile.installed(source) == source
    except tacfile.TacFileError as error:
        yield problem(f"buildbot.tac: {error}", "correct it")
        return
    if there:
        yield well("the owner's side is in buildbot.tac")
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
