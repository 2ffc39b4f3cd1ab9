"""Workers and builders of the API, written for people at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from presence.calendar.durations import durationText
from presence.commands.terminal import AVAILABLE, Clocks, table
from presence.text import plain
from presence.words.breaks import limitText, sparedText
from presence.words.holds import atText, holdText, stateText
from presence.words.kinds import DRAIN_DEADLINE

if TYPE_CHECKING:
    from collections.abc import Iterable

DRAINING = "draining"


class AdminText(Clocks):
    """Texts about workers and builders, at a moment."""

    def workers(self, workers: Iterable[dict[str, Any]], *, stopping: bool = False) -> str:
        """A table of workers, of a master that is `stopping` or not."""
        rows = [
            (
                worker["name"],
                stateText(worker, stopping=stopping),
                self._why(worker, in_row=True),
                self._until(worker),
                str(worker["running"]),
                self.moment((worker["next_break"] or {}).get("start")),
            )
            for worker in workers
        ]
        return table(("WORKER", "STATE", "WHY", "UNTIL", "RUNNING", "NEXT BREAK"), rows)

    def builders(self, builders: Iterable[dict[str, Any]], *, stopping: bool = False) -> str:
        """A table of builders, of a master that is `stopping` or not."""
        rows = [
            (
                builder["name"],
                stateText(builder, stopping=stopping),
                f"{builder['ready']} of {builder['total']}",
                str(builder["waiting"]),
                builder["reason"] or "",
                self.moment(builder["back_at"]) or ("" if builder["ready"] else "?"),
            )
            for builder in builders
        ]
        return table(("BUILDER", "STATE", "READY", "WAITING", "WHY", "UNTIL"), rows)

    def builderChange(self, builder: dict[str, Any]) -> str:
        """A line about a builder of which something was ordered."""
        said = [stateText(builder)]
        if builder["hold"] is not None:
            said.append(self.hold(builder["hold"]))
        elif builder["reason"]:
            said.append(builder["reason"])
        return plain(f"{self.clock()} {builder['name']}: {', '.join(said)}")

    def hold(self, hold: dict[str, Any]) -> str:
        """One hold."""
        return holdText(hold, until=self.moment(hold["until"]))

    def _why(self, worker: dict[str, Any], *, in_row: bool = False) -> str:
        """The holds of a worker. `in_row`: without the end of a single one, if it is that of the worker."""
        alone = in_row and len(worker["holds"]) == 1 and worker["holds"][0]["until"] == worker["back_at"]
        # a master of before there were drains does not say any
        drain = worker.get("drain")
        held = [self._hold(each, drain, ends=not alone) for each in worker["holds"]]
        blocked = [each["text"] for each in worker.get("blocked", ())]
        return "; ".join([*held, *blocked, *self._breaks(worker)])

    def _breaks(self, worker: dict[str, Any]) -> list[str]:
        """What breaks do beside the hold; nothing of a master that is older than this command."""
        told = [
            f"{limitText(each['limit'])}{self._ending(each['until'])}" for each in worker.get("limits", ())
        ]
        for each in worker.get("refused", ()):
            by = "" if each["finish_by"] is None else f" {atText(self.moment(each['finish_by']))}"
            told.append(
                f"{each['builder']}: {each['reason']}{by}{self._ending(each['until'], 'waits until')}"
            )
        if worker.get("interrupts_at") is not None and worker["running"]:
            told += sparedText(finishBefore=False, interruptsAt=atText(self.moment(worker["interrupts_at"])))
        return told

    def _ending(self, until: float | None, word: str = "until") -> str:
        return "" if until is None else f", {word} {self.moment(until)}"

    def _until(self, worker: dict[str, Any]) -> str:
        return "" if worker["state"] == AVAILABLE else self.moment(worker["back_at"]) or "?"

    def _hold(self, hold: dict[str, Any], drain: dict[str, Any] | None, *, ends: bool) -> str:
        words = holdText(hold, drain=bool(drain), until=self.moment(hold["until"]) if ends else "")
        if hold["source"] == "admin" and drain and drain["state"] == DRAINING and drain["deadline"]:
            words = f"{words}, {DRAIN_DEADLINE[drain['on_deadline']].format(at=atText(self.moment(drain['deadline'])))}"
        return words

    def running(self, build: dict[str, Any]) -> str:
        """A line about a build that runs, of `runningbuilds`."""
        since = durationText(self.now - build["started_at"])
        said = [f"{build['builder']} #{build['number']} on {build['worker']}", f"for {since} now"]
        if build["remaining"] is not None:
            said.append(f"about {durationText(build['remaining'])} to go")
        for each in build["waits_for"]:
            what = each["builder"] or f"request {each['buildrequestid']}"
            said.append(f"waits for {what}{'' if each['running'] else ', which has not begun'}")
        return plain(", ".join(said))

    def change(self, worker: dict[str, Any]) -> str:
        """A line about a worker that has changed; of one of another master there may be no more than its name."""
        if "state" not in worker:
            return plain(f"{self.clock()} {worker['name']}: ordered of another master's worker")
        said = [stateText(worker)]
        if why := self._why(worker):
            said.append(why)
        if worker["back_at"] is not None and all(
            each["until"] != worker["back_at"] for each in worker["holds"]
        ):
            said.append(f"back at {self.moment(worker['back_at'])}")
        if worker["running"]:
            said.append(f"{worker['running']} running")
        return plain(f"{self.clock()} {worker['name']}: {', '.join(said)}")
