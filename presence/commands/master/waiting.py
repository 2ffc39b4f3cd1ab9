"""Progress lines of a command that waits for builds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from presence.commands.master.command import adminText

if TYPE_CHECKING:
    from collections.abc import Sequence

#: How often the master is asked, in seconds.
INTERVAL = 1.0

# How often a progress line is printed when nothing has changed, in seconds.
_REMINDER = 60.0


class Silence:
    """For how long the master has not answered, by a clock that nobody sets."""

    def __init__(self) -> None:
        self._since: float | None = None

    def ended(self) -> None:
        """It has answered."""
        self._since = None

    def lasts(self) -> float:
        """It has not answered, for so many seconds; 0.0 the first time."""
        now = time.monotonic()
        if self._since is None:
            self._since = now
        return now - self._since


class WhoRuns:
    """The builds that are waited for: said when they change, and once a minute."""

    def __init__(self) -> None:
        self._builds: list[Any] | None = None
        self._at = 0.0

    def tell(self, builds: Sequence[dict[str, Any]]) -> None:
        """Say that these builds (of `runningbuilds`) are waited for, when that is new, or was said long ago."""
        known = [(each["buildid"], each["waits_for"]) for each in builds]
        if known == self._builds and time.monotonic() - self._at < _REMINDER:
            return
        self._builds, self._at = known, time.monotonic()
        text = adminText()
        print(f"waiting for {len(builds)} build{'' if len(builds) == 1 else 's'}", flush=True)
        for each in builds:
            print(f"  {text.running(each)}", flush=True)
