"""The live log of `presence demo`: what its master tells, put into sentences."""

from __future__ import annotations

import os
from math import inf
from typing import TYPE_CHECKING, Any

from presence.calendar.instants import datetimeOf

if TYPE_CHECKING:
    from typing import TextIO

    from presence.demo.ledger import PlannedBreak

_YELLOW, _GREEN, _RED = "33", "32", "31"

# Buildbot's results of builds
_SUCCESS, _RETRY = 0, 5


def clock(instant: float, *, exactly: bool = False) -> str:
    """The time of day on the wall clock of this machine, in seconds or exactly: in hundredths."""
    text = datetimeOf(instant).astimezone().strftime("%H:%M:%S.%f")
    return text[:-4] if exactly else text[:-7]


def several(number: int, what: str) -> str:
    """That many of them, in words."""
    return f"{number} {what}{'' if number == 1 else 's'}"


class Page:
    """Where the demo is told: text, and colours where somebody looks at it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._coloured = stream.isatty() and "NO_COLOR" not in os.environ

    def write(self, text: str = "", colour: str | None = None) -> None:
        """Write a line, or several."""
        if colour is not None and self._coloured:
            text = f"\033[{colour}m{text}\033[0m"
        print(text, file=self._stream, flush=True)

    def introduce(self, plan: tuple[PlannedBreak, ...], url: str) -> None:
        """Say what there will be to see."""
        self.write()
        self.write(f"Web UI   {url}")
        self.write()
        for worker in dict.fromkeys(planned.worker for planned in plan):
            times = [f"{clock(each.start)} – {clock(each.stop)}" for each in plan if each.worker == worker]
            self.write(f"Breaks   {worker:<9} {'   '.join(times)}")
        self.write()


class Story:
    """Follows the events of the master, and writes those that are worth a line to `page`."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._holds: dict[str, dict[str, tuple[str | None, float | None]]] = {}
        self._back: dict[str, float] = {}
        self._free: dict[str, float] = {}
        self._running: dict[int, tuple[str, int]] = {}
        #: when each request was made
        self.requested: dict[int, float] = {}
        #: the requests of which no build has succeeded so far
        self.open: set[int] = set()
        #: when Buildbot announced each build
        self.announced: dict[int, float] = {}
        #: how long after its return each worker's first build began
        self.delays: list[float] = []
        #: the number of the configuration that is in force
        self.configured = 0
        self._built: set[int] = set()

    def isReady(self, worker: str) -> bool:
        """Whether nothing holds the worker."""
        return self._holds.get(worker) == {}

    def request(self, number: int, at: float) -> None:
        """A build has been requested."""
        self.requested[number] = at
        if number in self._built:
            return
        self.open.add(number)
        if self._holds and not any(map(self.isReady, self._holds)):
            self._line(
                at, "", f"request {number} waits for whoever is back first, at {clock(self._first_back())}"
            )

    def told(self, event: dict[str, Any]) -> None:
        """The master has told of an event."""
        getattr(self, f"_{event.pop('what')}")(**event)

    def conclude(self, breaks: int, builds: int, wrong: tuple[str, ...]) -> None:
        """Sum up, with what was found wrong."""
        write = self._page.write
        write(
            f"\n{several(breaks, 'break')}, {several(len(self.requested), 'request')}, {several(builds, 'build')}."
        )
        if self.delays:
            write(
                f"Where requests had waited for the end of a break, the first build began within {max(self.delays):.2f} s."
            )
        for each in wrong:
            write(f"WRONG: {each}", _RED)
        if not wrong:
            write("No build started in a break, and no request was lost.", _GREEN)

    def _configured(self, plan: int) -> None:
        self.configured = plan

    def _presence(self, at: float, worker: str, holds: dict[str, tuple[str | None, float | None]]) -> None:
        before, self._holds[worker] = self._holds.get(worker, {"offline": (None, None)}), holds
        if not holds:
            self._back[worker] = at
        if "break" in holds and "break" not in before:
            reason, until = holds["break"]
            nobody = "" if any(map(self.isReady, self._holds)) else "; now nobody accepts builds"
            self._line(
                at,
                worker,
                f"goes on its break ({reason}) until {clock(until or at)}{self._goes_on(worker)}{nobody}",
                _YELLOW,
            )
        elif "break" in before and "break" not in holds:
            waiting = len(self.open) - len(self._running)
            waits = f"; {several(waiting, 'request')} waiting" if waiting > 0 else ""
            self._line(at, worker, f"is back from its break{waits}", _GREEN)
        elif not holds:
            self._line(at, worker, "is available", _GREEN)
        elif "offline" not in before:
            self._line(at, worker, f"does not accept builds: {', '.join(holds)}", _YELLOW)

    def _announced(self, at: float, build: int, request: int) -> None:  # noqa: ARG002 (it is in the event)
        self.announced[build] = at

    def _began(self, at: float, build: int, request: int, worker: str) -> None:
        self._running[build] = (worker, request)
        asked = self.requested.get(request, at)
        since, cause = max(
            (asked, "it was requested"),
            (self._back.get(worker, -inf), f"{worker} came back"),
            (self._free.get(worker, -inf), f"{worker} was free"),
        )
        if since == self._back.get(worker):
            self.delays.append(at - since)
        waited = f"; it had waited {since - asked:.1f} s" if since > asked else ""
        self._line(at, worker, f"builds request {request}, {at - since:.2f} s after {cause}{waited}")

    def _finished(self, at: float, build: int, request: int, results: int) -> None:
        worker, _ = self._running.pop(build, ("", 0))
        if results == _SUCCESS:
            self._free[worker] = at
            self._built.add(request)
            self.open.discard(request)
            if "break" in self._holds.get(worker, {}):
                self._line(at, worker, f"has finished request {request}, begun before its break")
        elif results == _RETRY:
            self._line(at, worker, f"request {request} goes back to the queue: the break came first")
        else:
            self._line(at, worker, f"the build of request {request} has failed (result {results})", _RED)

    def _goes_on(self, worker: str) -> str:
        requests = [str(request) for where, request in self._running.values() if where == worker]
        return f"; the build of request {', '.join(requests)} goes on" if requests else ""

    def _first_back(self) -> float:
        return min(
            max((until or inf for _, until in holds.values()), default=inf) for holds in self._holds.values()
        )

    def _line(self, at: float, who: str, text: str, colour: str | None = None) -> None:
        self._page.write(f"{clock(at, exactly=True)}  {who:<9} {text}", colour)
