"""What a doctor finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Grade(Enum):
    """How bad it is."""

    WELL = "ok"
    #: it works; somebody should know
    NOTE = "note"
    #: something does not do what one would expect
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what was found, and (unless all is well) what to do."""

    grade: Grade
    what: str
    todo: str | None = None


def well(what: str) -> Finding:
    """All is well."""
    return Finding(Grade.WELL, what)


def note(what: str, todo: str) -> Finding:
    """It works, and somebody should know."""
    return Finding(Grade.NOTE, what, todo)


def problem(what: str, todo: str) -> Finding:
    """Something does not do what one would expect."""
    return Finding(Grade.PROBLEM, what, todo)
