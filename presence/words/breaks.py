"""The words for what breaks do beside the hold: builds that do not start, and builds that are interrupted.

Both pages have the constants as data (`pages.py`).
"""

from __future__ import annotations

from presence.calendar.durations import durationText

#: What is said of a break before which builds are to be finished.
FINISH_BEFORE = "no build starts that would run into it"

#: What is said of one that interrupts builds; `{at}` is when.
INTERRUPTS = "what runs is interrupted {at}"

#: A partial break; `{limit}` says what may start.
PARTIAL = "in a partial break: {limit}"


def limitText(limit: str, running: int | None = None) -> str:
    """Why a partial break refuses a build; `running` is how many builds run, where it refuses for that."""
    told = PARTIAL.replace("{limit}", limit)
    return told if running is None else f"{told}, and {running} {'runs' if running == 1 else 'run'}"


def tooLongText(likely: float, *, fits: bool) -> str:
    """Why a build waits that may take `likely` seconds, and would not be finished before a break. `fits`: before a later one
    it would.
    """
    told = f"a build may take {durationText(likely)}, and is to be finished before the next break"
    return told if fits else f"{told}; no time between the coming breaks is long enough"


def sparedText(*, finishBefore: bool, interruptsAt: str) -> list[str]:
    """What is said of a break beside its times: none to two texts. `interruptsAt` is what
    `atText()` makes of an instant, or empty.
    """
    told = [FINISH_BEFORE] if finishBefore else []
    return [*told, INTERRUPTS.replace("{at}", interruptsAt)] if interruptsAt else told
