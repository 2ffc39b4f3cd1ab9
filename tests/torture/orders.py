"""Those who request builds, and those who order on both sides: all of it is entered in the account."""

import json
import time
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener
from urllib.request import Request as HTTPRequest

from presence.commands.owner.client import LocalClient, LocalError
from tests.torture.farm import BUILDERS, EARLY, TOLD

#: How many requests may wait.
_QUEUE = 50

#: How long whoever orders waits at most until the next time, in seconds: a build takes a second to start on a busy machine, and
#: a worker that is held more often than that never builds.
_LEISURE = 5.0

#: How long an owner waits for the worker to end who has said "stop", in seconds; then they say "back".
_ENDS = 8.0


class Orders:
    """What each of them does once; `book` says whom it is entered with (`tests.torture.torment.Book`)."""

    def __init__(self, farm, book):
        self._farm = farm
        self._book = book
        self._open = build_opener(ProxyHandler({})).open

    # --- builds

    def request(self, dice):
        """Request a build, of any builder; a busy machine builds less than is asked of it, and has to build all in the end."""
        self._book.wait(dice.uniform(0.05, 0.4))
        if len(self._book.requests) - self._book.started < _QUEUE:
            self._force(dice.choice(BUILDERS), dice.choice((0, 0.2, 0.6, 1.5)))

    def _force(self, builder, seconds):
        answer = self._post(
            f"forceschedulers/force-{builder}", "force", owner="torture", seconds=str(seconds)
        )
        if answer:
            self._book.requests.update(answer["result"][1].values())
            self._book.count("requests")

    # --- admins

    def order(self, dice, worker):
        """Hold it in one of many ways, for a moment; or let it go on holding."""
        self._book.wait(dice.uniform(0.0, _LEISURE))
        what = dice.choice(("hold", "chase", "chase", "chase", "until", "drain", "work"))
        if what == "chase":
            # a build that has been chosen, and has not started: on a busy machine that is later, and takes longer
            self._force(worker, 0.2)
            self._book.wait(dice.uniform(0.0, dice.choice((0.12, 1.0))))
        since = time.monotonic()
        if what == "until":
            self.admin(worker, "hold", until=self._farm.wall + dice.uniform(1.0, 4.0))
        elif what == "drain":
            self.admin(worker, "drain")
        elif what == "work":
            self.admin(worker, "work", until=self._farm.wall + dice.uniform(1.0, 6.0))
            self._book.wait(dice.uniform(0.5, 2.0))
            self.admin(worker, "work", until=None)
        else:
            self.admin(worker, "hold", reason="torture")
        self._book.wait(dice.uniform(0.1, 1.0))
        if dice.random() < 0.9:
            self.admin(worker, "release")
        self._book.rest(since)

    def admin(self, worker, action, **parameters):
        """Order something. Whether it was acknowledged."""
        sent = time.monotonic()
        with self._book.account as account:
            if action != "work":
                account.ordered(worker, "admin", sent)
            elif parameters["until"] is not None:
                account.suspending(worker, sent)
        answer = self._post(f"presences/{worker}", action, **parameters)
        at = time.monotonic()
        with self._book.account as account:
            if answer and action == "work" and parameters["until"] is None:
                account.resumed(worker, at)
            elif answer and action == "release":
                account.released()
            elif answer and action != "work":
                until = parameters.get("until") or float("inf")
                account.held(worker, f"admin: {action}", at, until=until, children=action == "drain")
        if answer:
            self._book.count(action)
        return bool(answer)

    # --- owners

    def say(self, dice, worker):
        """Away and back; or away for a while, work in spite of breaks, or end the worker's process."""
        self._book.wait(dice.uniform(0.0, _LEISURE))
        what = dice.choice(("away", "away", "away", "for", "work", "stop"))
        since = time.monotonic()
        if what == "for":
            self.owner(worker, "away", seconds=EARLY + 2.0)
        elif what == "stop":
            self._stop(worker)
        else:
            self.owner(worker, what, seconds=3.0 if what == "work" else None)
        self._book.wait(dice.uniform(0.0, 1.0))
        self.owner(worker, "back")
        self._book.rest(since)

    def owner(self, worker, word, seconds=None):
        """Let the owner say it, for so long if that is not None. Whether the master knows it."""
        sent = time.monotonic()
        with self._book.account as account:
            # ("work" is about breaks only, those of master.cfg too; "back" about the owner's word)
            account.ordered(worker, "own break" if word == "work" else "owner", sent)
            if word == "work":
                account.suspending(worker, sent, sent + seconds + TOLD)
        until = {} if seconds is None else {"until": time.time() + seconds}
        try:
            # as the command does it, without a process for each
            known = LocalClient(self._farm.worker(worker).directory).say(word, **until)["told"]
        except LocalError:
            known = False
        at = time.monotonic()
        with self._book.account as account:
            if known and word in {"away", "stop"}:
                account.held(
                    worker, "owner", at, upto=float("inf") if seconds is None else sent + seconds - EARLY
                )
            elif known:
                account.released()
        if known:
            self._book.count(word if seconds is None else f"{word} for")
        return known

    def _stop(self, name):
        """The worker's process ends when nothing runs, and somebody starts it again."""
        worker = self._farm.worker(name)
        with self._book.process(name):
            self.owner(name, "stop")
            end = time.monotonic() + _ENDS
            while worker.running and time.monotonic() < end:
                time.sleep(0.1)
            if worker.running:
                self.owner(name, "back")
            if not worker.running:
                # the stop has been obeyed, and is over
                with self._book.account as account:
                    account.ordered(name, "owner", time.monotonic())
                worker.start()
                self._book.count("ended")

    # --- the wire

    def _post(self, path, method, **params):
        """The answer; False when it was refused; None when nobody knows."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = HTTPRequest(
            f"http://127.0.0.1:{self._farm.www}/api/v2/{path}", body, {"Content-Type": "application/json"}
        )
        try:
            with self._open(request, timeout=20) as answer:
                return json.load(answer)
        except HTTPError:
            return False
        except (OSError, HTTPException, ValueError):
            time.sleep(0.1)
            return None
