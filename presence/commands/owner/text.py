"""What the worker knows of itself, written for its owner at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from presence.calendar.durations import durationText
from presence.commands.terminal import AVAILABLE, Clocks
from presence.text import plain
from presence.words.holds import DOES, atText, holdText, openText
from presence.words.returning import returningText
from presence.words.sensors import stateText

if TYPE_CHECKING:
    from datetime import tzinfo

_WIDTH = 12


class OwnerText:
    """Texts about one status, on the clocks of `zone`."""

    def __init__(self, status: dict[str, Any], zone: tzinfo) -> None:
        self._status = status
        self._now: float = status["now"]
        self._moment = Clocks(self._now, zone).moment

    # --- the whole

    def status(self) -> str:
        """All of it."""
        status = self._status
        rows = [("Why", self._hold(hold, since=True)) for hold in status["holds"]]
        if status["work_until"] is not None:
            rows.append(
                (
                    "Works",
                    f"in spite of {self._ignored('the scheduled breaks')}, until {self._moment(status['work_until'])}",
                )
            )
        if status["stopping"] is not None:
            rows.append(("Stops", self._stop()))
        rows += [("Runs", self._build(build)) for build in status["running"]] or [("Runs", "nothing")]
        returning = status.get("on_return")
        if returning is not None:
            rows.append(("Runs", returningText(returning, self._moment(returning["until"]))))
        rows.append(("Next break", self._next_break()))
        # a worker of an older version has none
        rows += [("Sensors", self._sensor(sensor)) for sensor in status.get("sensors", [])]
        rows += [("Master", line) for line in self._master()]
        lines = [f"{self.headline()}."]
        last = ""
        for name, text in rows:
            lines.append(f"{'' if name == last else name:<{_WIDTH}}{text}")
            last = name
        return "\n".join(map(plain, lines))

    def headline(self) -> str:
        """Whether it accepts builds, and until when it does not."""
        status = self._status
        back_at = None if status["state"] == AVAILABLE else status["back_at"]
        until = "" if back_at is None else f", until {self._moment(back_at)}"
        return f"{status['name']} {DOES[status['state']]}{until}"

    # --- after an order

    def outcome(self) -> str:
        """What is so now, in a line; and what goes on."""
        status = self._status
        said = self.headline()
        if status["holds"]:
            said += f": {'; '.join(self._hold(hold) for hold in status['holds'])}"
        elif status["work_until"] is not None:
            said += f", in spite of {self._ignored('its breaks')} until {self._moment(status['work_until'])}"
        lines = [f"{said}."]
        if status["stopping"] is not None:
            lines.append(f"It stops {self._stop()}.")
        if status["state"] != AVAILABLE and status["running"]:
            lines.append(f"What runs goes on: {self._builds()}.")
        return "\n".join(map(plain, lines))

    def waiting(self) -> str:
        """What is waited for. It changes only when that does."""
        status = self._status
        if not status["running"]:
            master = status["master"]
            heard = status["told"] or not master["connected"]
            return (
                "waiting for the end of the process"
                if heard
                else "waiting for the master, which has not heard of it yet"
            )
        deadline = (status["stopping"] or {}).get("deadline")
        end = "" if deadline is None else f"; {atText(self._moment(deadline))} it is interrupted"
        return plain(f"waiting for {self._builds(since=True)}{end}")

    def notTold(self) -> str:
        """Why the master does not know of it."""
        why = self._status["master"]["why"] or "it has not answered yet"
        return plain(f"{why}. It is kept here, and told as soon as it can be.")

    # --- parts

    def _hold(self, hold: dict[str, Any], *, since: bool = False) -> str:
        forever = openText(hold) if since else ""
        return holdText(
            hold,
            owner=True,
            since=self._moment(hold["since"]) if since else "",
            until=forever if hold["until"] is None else self._moment(hold["until"]),
        )

    def _ignored(self, breaks: str) -> str:
        return f"{breaks} and sensors" if self._status.get("sensors") else breaks

    def _sensor(self, sensor: dict[str, Any]) -> str:
        return f"{sensor['name']}: {stateText(sensor, self._moment(sensor['quiet_until']))}, {sensor['text']}"

    def _stop(self) -> str:
        deadline = self._status["stopping"]["deadline"]
        return "when nothing runs any more" + (
            "" if deadline is None else f", and {atText(self._moment(deadline))} in any case"
        )

    def _builds(self, *, since: bool = False) -> str:
        return ", ".join(self._build(build, since=since) for build in self._status["running"])

    def _build(self, build: dict[str, Any], *, since: bool = False) -> str:
        began = build["since"]
        if began is None:
            return str(build["builder"])
        if since:
            return f"{build['builder']} (since {self._moment(began)})"
        return f"{build['builder']}, for {durationText(self._now - began)}"

    def _next_break(self) -> str:
        coming = self._status["next_break"]
        if coming is None:
            return "none in the coming days"
        stop = "" if coming["stop"] is None else f", until {self._moment(coming['stop'])}"
        reason = f" ({coming['reason']})" if coming["reason"] else ""
        return f"{self._moment(coming['start'])}{stop}{reason}"

    def _master(self) -> list[str]:
        master = self._status["master"]
        view = master["view"]
        if view is None:
            return [master["why"] or "nothing is known of it"]
        lines = [master["why"]] if master["why"] else []
        if view["state"] == self._status["state"]:
            return [*lines, "connected, and sees it so too"]
        holds = "; ".join(self._hold(hold) for hold in view["holds"])
        return [*lines, f"sees it otherwise: {DOES[view['state']]}{f' ({holds})' if holds else ''}"]
