"""Commands that wait for a master: the loop, and progress lines about builds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from presence.commands.master.client import MasterError, NoAnswerError
from presence.commands.master.command import adminText
from presence.commands.terminal import complain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from presence.commands.master.client import MasterClient

# How often the master is asked, in seconds.
_INTERVAL = 1.0

# How often a progress line is printed when nothing has changed, in seconds.
_REMINDER = 60.0

# For how long a master may not answer, in seconds: it may be restarting, and what was ordered of workers survives that.
_RESTART = 600.0


def waitUntil(
    ask: Callable[[], int | None],
    silent: Callable[[MasterError, float], int | None],
    interval: float = _INTERVAL,
) -> int:
    """Ask the master with `ask()` every second, or `interval`, until that says an exit status, and return it.

    While it raises `MasterError` instead, `silent(problem, seconds)` is called: for how long that has gone on, by a clock that
    nobody sets, 0.0 the first time. It may say an exit status too, or raise.
    """
    since: float | None = None
    while True:
        try:
            status = ask()
            since = None
        except MasterError as problem:
            now = time.monotonic()
            since = now if since is None else since
            status = silent(problem, now - since)
        if status is not None:
            return status
        time.sleep(interval)


def mayRestart(client: MasterClient, problem: MasterError, seconds: float) -> bool:
    """Whether a master that has not answered for so long may be restarting: that is said once, and waited for."""
    if seconds > _RESTART or not isinstance(problem, NoAnswerError):
        return False
    if not seconds:
        complain(f"{problem}; trying again", 0)
    # a master that has been restarted does not know the session
    client.close()
    return True


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
