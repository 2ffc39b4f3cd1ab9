"""`Command`: a command of the owner's tells."""

from __future__ import annotations

from presence.text import MAX_REASON, cut
from presence.worker.looking import bounded
from presence.worker.looking.cannottell import CannotTellError
from presence.worker.sensors.reading import Reading
from presence.worker.sensors.written import seconds, text


class Command:
    """Away while `command`, a line for the shell, ends with exit status 0; the first line that it says is the reason.

    Exit status 1 is that nobody needs the machine. Any other, no end within `bounded.PATIENCE` seconds, and more than
    `bounded.LIMIT` bytes of what it says: it cannot tell.
    """

    def __init__(
        self, command: str, *, quiet: object = "5m", every: object = "30s", name: str = "command"
    ) -> None:
        self.command = text("command", command)
        self.name = name
        self.quiet = seconds("quiet", quiet)
        self.every = seconds("every", every)

    def read(self) -> Reading:
        """Run it. See `reading.Sensor`."""
        outcome = bounded.run(self.command)
        first = outcome.said[: 4 * MAX_REASON].decode("utf-8", "replace").strip().partition("\n")[0].strip()
        line = cut(first, MAX_REASON) or ""
        if outcome.status == 0:
            return Reading(True, line or f"{self.command!r} says so")
        if outcome.status == 1:
            return Reading(False, line or "exit status 1")
        why = f"signal {-outcome.status}" if outcome.status < 0 else f"exit status {outcome.status}"
        raise CannotTellError(f"{why}{f': {line}' if line else ''}; 0 (away) or 1 is right")
