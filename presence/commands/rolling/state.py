"""What is kept of a roll, in a private file: so it goes on where it was, whatever has ended it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from presence.files import read, remove, write

if TYPE_CHECKING:
    from pathlib import Path

_VERSION = 1
_LIMIT = 4 * 1024 * 1024

#: What has become of a worker: it has not been begun; it is drained; its command runs; it is waited for; a builder is tried on it;
#: and the ends.
WAITING, DRAINING, RUNNING, RETURNING, CHECKING = "waiting", "draining", "running", "returning", "checking"
DONE, FAILED, SKIPPED = "done", "failed", "skipped"

STATES = (WAITING, DRAINING, RUNNING, RETURNING, CHECKING, DONE, FAILED, SKIPPED)

#: It has been begun and has not ended.
ACTIVE = (DRAINING, RUNNING, RETURNING, CHECKING)


@dataclass
class Step:
    """A worker of the roll: its `state`, and why it has failed."""

    name: str
    state: str = WAITING
    problem: str | None = None


@dataclass
class Roll:
    """What was asked for, and how far it has come. `command` has ``{worker}`` for the name; times are in seconds."""

    command: list[str]
    workers: list[Step]
    atMost: int = 1
    reason: str | None = None
    deadline: float | None = None
    backWithin: float = 3600.0
    settle: float = 10.0
    check: str | None = None
    reboots: bool = False
    ok: list[int] = field(default_factory=lambda: [0])

    @property
    def active(self) -> list[Step]:
        """The workers that have been begun and have not ended."""
        return [each for each in self.workers if each.state in ACTIVE]

    @property
    def failed(self) -> list[Step]:
        """Those that have failed."""
        return [each for each in self.workers if each.state == FAILED]

    @property
    def ended(self) -> int:
        """How many are done, or left out."""
        return sum(each.state in {DONE, SKIPPED} for each in self.workers)

    def place(self, step: Step) -> str:
        """Its place in the roll: "3 of 8"."""
        return f"{self.workers.index(step) + 1} of {len(self.workers)}"


class StateFile:
    """The file at `path`, which only its owner can read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def exists(self) -> bool:
        """Whether there is one, of a roll that has not ended."""
        return self.path.exists()

    def save(self, roll: Roll) -> None:
        """Keep it. Raises `OSError`."""
        text = json.dumps({"version": _VERSION, **asdict(roll)}, indent=1)
        write(self.path, text.encode())

    def load(self) -> Roll:
        """What is kept. Raises `OSError`, and `ValueError` for what is not a roll's."""
        try:
            value: Any = json.loads(read(self.path, _LIMIT))
            if value.pop("version") != _VERSION:
                raise ValueError("it is of another version")  # noqa: TRY301
            workers = [Step(**each) for each in value.pop("workers")]
            if any(each.state not in STATES for each in workers):
                raise ValueError("a worker is in no state that there is")  # noqa: TRY301
            return Roll(workers=workers, **value)
        except (TypeError, AttributeError, KeyError, ValueError) as problem:
            raise ValueError(f"{self.path} is not the file of a roll ({problem}): remove it") from None

    def remove(self) -> None:
        """It has ended."""
        remove(self.path)
