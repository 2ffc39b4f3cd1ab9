"""One roll, step by step: each worker is drained, its command runs, and it is released when it is back and well."""

from __future__ import annotations

import subprocess
import tempfile
import time
from typing import IO, TYPE_CHECKING, Any

from presence.commands.ancestry import ancestors, partOf
from presence.commands.master.client import MasterError, NoAnswerError
from presence.commands.master.settled import NOT_CONFIRMED, UNSEEN, Doubts, presencesOf
from presence.commands.rolling.lost import LostConnections
from presence.commands.rolling.state import (
    ACTIVE,
    CHECKING,
    DONE,
    DRAINING,
    FAILED,
    RETURNING,
    RUNNING,
    WAITING,
    Roll,
    StateFile,
    Step,
)
from presence.orders.floor import REFUSED
from presence.text import MAX_REASON, cut, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from presence.commands.master.client import MasterClient

# How often what a floor has refused is ordered again, in seconds, and how many lines of a command that has failed are shown.
_AGAIN = 5.0
_LINES = 20

# What holds a worker that is not well. That it is on a break, or its owner needs it, is none of our business.
_UNWELL = frozenset({"offline", "pause", "quarantine", "graceful", "condition"})


# What is asked about each worker.
_FIELDS = ["workerid", "name", "connected", "holds", "drain", "builders"]


class _Job:
    """A command that runs, and what it says."""

    def __init__(self, arguments: list[str]) -> None:
        self.output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed when it has ended)
        self.process = subprocess.Popen(  # noqa: S603 (the admin's own command)
            arguments, stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT
        )

    def lines(self) -> list[str]:
        """The last lines."""
        self.output.seek(0)
        text = self.output.read().decode("utf-8", "replace")
        self.output.close()
        return text.splitlines()[-_LINES:]


class Rolling:
    """Takes `roll` further with each `step()`, and keeps in `file` how far it has come before anything is done.

    `say` is called with what there is to tell.
    """

    def __init__(
        self, roll: Roll, file: StateFile, client: MasterClient, say: Callable[[str], object]
    ) -> None:
        self.roll = roll
        self._file = file
        self._client = client
        self._say = say
        self._jobs: dict[str, _Job] = {}
        # by a clock that nobody sets: since when a worker is well, since when it is waited for, when to order again
        self._well: dict[str, float] = {}
        self._since: dict[str, float] = {}
        self._lost = LostConnections()
        # workers that are missing, or drained no longer; and for how long that is not believed, where it is long
        self._doubts = Doubts()
        self._patience: dict[str, float] = {}
        self._not_before = 0.0
        self._requests: dict[str, int] = {}
        self._told: str | None = None
        self.moved = False

    def resume(self) -> None:
        """Go on where it was: what was running may have ended or not, and runs again; what has failed is tried again."""
        for each in self.roll.workers:
            if each.state in {RUNNING, FAILED}:
                each.state, each.problem = (DRAINING if each.state == RUNNING else WAITING), None
        self._file.save(self.roll)

    def step(self) -> bool:
        """Do what is due. Whether it goes on; `moved` says whether something may be due at once."""
        self.moved = False
        workers = {each["name"]: each for each in self._workers()}
        for each in self.roll.active:
            worker = workers.get(each.name)
            if worker is not None:
                self._lost.seen(each.name, connected=worker["connected"])
            self._advance(each, worker)
        if not self.roll.failed:
            self._begin_more(workers)
        return bool(self.roll.active) or (
            not self.roll.failed and any(each.state == WAITING for each in self.roll.workers)
        )

    def masterSilent(self) -> None:
        """The master does not answer. In what it says when it has been started again, nobody has gone; and nothing is waited for meanwhile."""
        self._lost.masterSilent()
        self._doubts.clear()
        self._well.clear()
        self._since.clear()

    def end(self) -> None:
        """End the commands that run."""
        for job in self._jobs.values():
            job.process.kill()
            job.process.wait()
            job.output.close()

    # --- the next ones

    def _begin_more(self, workers: dict[str, Any]) -> None:
        for each in self.roll.workers:
            if len(self.roll.active) >= self.roll.atMost or time.monotonic() < self._not_before:
                return
            if each.state != WAITING:
                continue
            if each.name not in workers:
                if self._doubts.lasts(each.name):
                    self._fail(each, "it is not in the configuration of the master any more")
                return
            self._doubts.end(each.name)
            if not self._drain(each, workers[each.name]):
                return

    def _drain(self, step: Step, worker: dict[str, Any]) -> bool:
        """Order it, unless a floor does not let that be: then it is ordered again later."""
        deadline = None if self.roll.deadline is None else time.time() + self.roll.deadline
        try:
            ordered = self._order(
                worker,
                "drain",
                reason=self._reason(step),
                deadline=deadline,
                on_deadline=None,
                group=None,
                **ancestors(),
            )
        except NoAnswerError:
            raise
        except MasterError as problem:
            if REFUSED not in str(problem):
                self._fail(step, str(problem), hold=False)
                return False
            self._not_before = time.monotonic() + _AGAIN
            if str(problem) != self._told:
                self._told = str(problem)
                self._say(f"{step.name} waits: {problem}")
            return False
        self._told = None
        itself = self._builds_on(step, ordered.get("inside", ()))
        if itself:
            self._order(worker, "release")
            self._fail(step, f"{partOf(itself)}, which runs on it and so would never end", hold=False)
            return False
        if not ordered.get("order", {}).get("heeded", True):
            self._patience[step.name] = NOT_CONFIRMED
        self._become(step, DRAINING)
        self._say(f"{step.name}: {self._reason(step)}, draining")
        return True

    def _builds_on(self, step: Step, buildids: Collection[int]) -> list[dict[str, Any]]:
        """Those of these builds that run on it."""
        found = self._client.get("runningbuilds") if buildids else []
        return [each for each in found if each["worker"] == step.name and each["buildid"] in buildids]

    # --- a worker that has been begun

    def _advance(self, step: Step, worker: dict[str, Any] | None) -> None:
        if worker is None:
            if self._doubts.lasts(step.name):
                self._fail(step, "it is not in the configuration of the master any more", hold=False)
        elif step.state == DRAINING:
            self._draining(step, worker)
        elif step.state == RUNNING:
            self._running(step)
        elif step.state == RETURNING:
            self._returning(step, worker)
        else:
            self._checking(step, worker)

    def _draining(self, step: Step, worker: dict[str, Any]) -> None:
        drain = worker["drain"]
        if drain is None:
            if self._doubts.lasts(step.name, self._patience.get(step.name, UNSEEN)):
                self._fail(step, "somebody has released it", hold=False)
            return
        self._doubts.end(step.name)
        self._patience.pop(step.name, None)
        if drain["state"] == "drained":
            arguments = [each.replace("{worker}", step.name) for each in self.roll.command]
            # (before it runs: whoever is killed now does not know that it has run)
            self._become(step, RUNNING)
            self._lost.forget(step.name)
            self._say(f"{step.name}: drained, runs {' '.join(arguments)}")
            try:
                self._jobs[step.name] = _Job(arguments)
            except (OSError, ValueError) as problem:
                self._fail(step, f"the command cannot be started: {problem}")

    def _running(self, step: Step) -> None:
        job = self._jobs[step.name]
        status = job.process.poll()
        if status is None:
            return
        if status in self.roll.ok:
            self._become(step, RETURNING)
            self._say(f"{step.name}: exit status {status}, is waited for")
        else:
            self._fail(step, f"exit status {status}" if status >= 0 else f"ended by signal {-status}")
        lines = self._jobs.pop(step.name).lines()
        for line in () if status in self.roll.ok else lines:
            self._say(f"{step.name}: | {line}")

    def _returning(self, step: Step, worker: dict[str, Any]) -> None:
        now = time.monotonic()
        since = self._since.setdefault(step.name, now)
        sources = {hold["source"] for hold in worker["holds"]}
        stayed = self.roll.reboots and not self._lost.has(step.name)
        well = worker["connected"] and not sources & _UNWELL and not stayed
        if not well:
            self._well.pop(step.name, None)
            if now - since > self.roll.backWithin:
                why = "it is not back" if not worker["connected"] else "it is not well"
                if stayed:
                    why = "it has not been seen to go, so it has not been started again"
                self._fail(step, f"{why}: {', '.join(sorted(sources & _UNWELL)) or 'connected'}")
        elif now - self._well.setdefault(step.name, now) >= self.roll.settle:
            self._order(worker, "release")
            if self.roll.check is None:
                self._finish(step)
            else:
                self._become(step, CHECKING)

    # --- a builder that is tried on it

    def _checking(self, step: Step, worker: dict[str, Any]) -> None:
        assert self.roll.check is not None  # noqa: S101 (there is no other way here)
        name = self.roll.check.replace("{worker}", step.name)
        try:
            if step.name not in self._requests:
                self._requests[step.name] = self._force(name, worker)
                self._say(f"{step.name}: released, tries {name}")
                return
            (request,) = self._client.get(f"buildrequests/{self._requests[step.name]}")
        except NoAnswerError:
            raise
        except MasterError as problem:
            self._fail(step, f"{name} cannot be tried: {problem}")
            return
        if not request["complete"]:
            return
        del self._requests[step.name]
        if request["results"] == 0:
            self._finish(step)
        else:
            self._fail(step, f"{name} has not succeeded on it (request {request['buildrequestid']})")

    def _force(self, name: str, worker: dict[str, Any]) -> int:
        """Ask for a build of this builder, which has no other worker: the id of the request."""
        found = [each for each in self._client.get("builderpresences") if each["name"] == name]
        others = [
            each["name"]
            for each in self._workers()
            if found and found[0]["builderid"] in each["builders"] and each["name"] != worker["name"]
        ]
        if not found or found[0]["builderid"] not in worker["builders"]:
            raise MasterError(f"{worker['name']} has no builder of this name")
        if others:
            raise MasterError(
                f"it may be built on {others[0]}, too: --check wants a builder of one worker, as in smoke-{{worker}}"
            )
        for scheduler in self._client.get("forceschedulers"):
            if name in scheduler["builder_names"]:
                builderid = found[0]["builderid"]
                body = {"builderid": str(builderid), "reason": f"presence roll: {worker['name']} is back"}
                answer = self._client.call(f"forceschedulers/{scheduler['name']}", "force", **body)
                return int(answer[1][str(builderid)])
        raise MasterError("no ForceScheduler has it, so that it cannot be started")

    # --- what becomes of them

    def _finish(self, step: Step) -> None:
        self._become(step, DONE)
        self._say(f"{step.name}: done, {self.roll.ended} of {len(self.roll.workers)}")

    def _fail(self, step: Step, problem: str, *, hold: bool = True) -> None:
        """It is held, and the roll begins no other one."""
        if hold:
            for worker in self._workers():
                if worker["name"] == step.name:
                    reason = cut(f"{self._reason(step)} has failed: {problem}", MAX_REASON)
                    self._order(worker, "hold", reason=reason, until=None, force=True)
        # (last: while the master does not answer it is tried again)
        step.problem = cut(plain(problem), MAX_REASON)
        self._become(step, FAILED)
        self._say(f"{step.name}: failed: {problem}; it stays held")

    def _become(self, step: Step, state: str) -> None:
        step.state, self.moved = state, True
        for known in (self._well, self._since):
            known.pop(step.name, None)
        self._file.save(self.roll)

    def _reason(self, step: Step) -> str:
        why = f": {self.roll.reason}" if self.roll.reason else ""
        return f"rolling {self.roll.place(step)}{why}"

    def _workers(self) -> list[dict[str, Any]]:
        left = [each.name for each in self.roll.workers if each.state == WAITING or each.state in ACTIVE]
        return presencesOf(self._client, left, _FIELDS)

    def _order(self, worker: dict[str, Any], action: str, **params: Any) -> dict[str, Any]:
        return self._client.post(f"presences/{worker['workerid']}", action, **params)
