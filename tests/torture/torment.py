"""Those who order, request, kill and stop, each in a thread of its own, until the time is over."""

import json
import random
import signal
import threading
import time
import traceback
from collections import Counter
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener
from urllib.request import Request as HTTPRequest

from tests.torture.account import Account, Planned, Start, overlaps
from tests.torture.farm import BUILDERS, FAKETIME, WORKERS

#: Exit status of `presence` when an order is done, and a master that is to know it knows it (docs/owner.rst).
_KNOWN = 0

#: How long the queue may take to become empty when everything is released, in seconds.
_AFTERWARDS = 120.0

#: How far the clock may be set back, in seconds. What Twisted is to do at once waits for as long.
_BACK = 12.0


class Torment:
    """`run()` it once; what is wrong is in its result, in words. The seed makes it begin alike, not end alike."""

    def __init__(self, farm, seconds, seed, *, untilCaught=False, restartDatabase=None):
        self.farm = farm
        self.account = Account()
        self.counts = Counter()
        self._seconds = seconds
        self._seed = seed
        self._until_caught = untilCaught
        self._restart_database = restartDatabase
        self._over = threading.Event()
        self._requests = set()
        self._trouble = []
        self._lock = threading.RLock()
        # whoever stops or starts the master, and whoever wants it to do something that has an end
        self._master = threading.RLock()
        self._open = build_opener(ProxyHandler({})).open

    def run(self):
        """Torture the farm; then let it come to rest, and compare."""
        self.farm.launchMaster()
        for worker in [self.farm.makeWorker(name) for name in WORKERS]:
            worker.start()
        for name in WORKERS:
            self.farm.worker(name).waitUntilConnected()
        threads = [
            threading.Thread(target=self._again, args=(act, random.Random(f"{self._seed}-{number}")))
            for number, act in enumerate(self._actors())
        ]
        for thread in threads:
            thread.start()
        end = time.monotonic() + self._seconds
        while time.monotonic() < end and not self._over.wait(5.0):
            print(f"{end - time.monotonic():5.0f} s left: {self.summary()}", flush=True)
            if self._contradictions() and self._until_caught:
                break
        self._over.set()
        for thread in threads:
            thread.join()
        found = self._contradictions()
        if not self._until_caught:
            found += self._rest()
        return self._trouble + found

    def summary(self):
        """What was done so far, in a line."""
        starts = sum(each["what"] == "start" for each in self.farm.notes())
        what = ", ".join(f"{number} {name}" for name, number in sorted(self.counts.items()))
        return f"{starts} starts, {self.account.acknowledged} orders acknowledged; {what}"

    # --- what comes of it

    def _contradictions(self):
        notes = self.farm.notes()
        starts = [
            Start(each["worker"], each["at"], each["wall"], each["child"])
            for each in notes
            if each["what"] == "start"
        ]
        with self._lock:
            found = self.account.contradictions(starts)
        return found + overlaps(_lock_spans(notes))

    def _rest(self):
        """Everything is well again and nobody holds anything: every request is to be built, and just once."""
        for name in WORKERS:
            self.farm.worker(name).signal(signal.SIGCONT)
        if FAKETIME:
            # what was to be done at once when the clock was set back has waited for it
            self._set_clock(self.farm.clock + 2 * _BACK)
        for name in WORKERS:
            while not self._admin(name, "release"):
                time.sleep(0.5)
            while not self._admin(name, "work", until=None):
                time.sleep(0.5)
            while self._owner(name, "back") != _KNOWN:
                time.sleep(0.5)
        end = time.monotonic() + _AFTERWARDS
        while time.monotonic() < end and self._all("buildrequests", complete="false"):
            time.sleep(1.0)
        found = self._unbuilt()
        for name in WORKERS:
            presence = self.farm.get(f"presences/{name}")["presences"][0]
            if presence["holds"]:
                found.append(f"{name} is still held: {presence['holds']}")
        return found

    def _unbuilt(self):
        """The requests that were not built just once, in words."""
        requests = {each["buildrequestid"]: each for each in self._all("buildrequests")}
        built = Counter(each["buildrequestid"] for each in self._all("builds") if each["results"] == 0)
        builders = {each["builderid"]: each["name"] for each in self._all("builders")}
        found = [
            f"request {each} was acknowledged and is not there" for each in self._requests - set(requests)
        ]
        for number, request in requests.items():
            who = f"request {number} of {builders[request['builderid']]}"
            # one whose parent was interrupted is cancelled with it
            cancelled = request["results"] == 6 and builders[request["builderid"]] == "child"
            if not request["complete"]:
                found.append(f"{who} is not built {_AFTERWARDS:.0f} s after everything was released")
            elif not cancelled and built[number] != 1:
                found.append(f"{who} was built {built[number]} times, with results {request['results']}")
        return found

    def _all(self, resource, **filters):
        """All of a resource, in pages that Buildbot answers whole."""
        found, fields = (
            [],
            {"builders": ("builderid", "name")}.get(resource, ("buildrequestid", "results", "complete")),
        )
        if resource == "buildrequests":
            fields = (*fields, "builderid")
        query = "&".join([*(f"field={each}" for each in fields), *(f"{k}={v}" for k, v in filters.items())])
        while True:
            page = self.farm.get(f"{resource}?{query}&limit=100&offset={len(found)}")[resource]
            found += page
            if len(page) < 100:
                return found

    # --- who does what

    def _actors(self):
        """A worker's orders come from one thread, so that they have an order."""
        yield self._request
        for number in range(3):
            yield lambda dice, mine=WORKERS[number::3]: self._order(dice, dice.choice(mine))
        for number in range(2):
            yield lambda dice, mine=WORKERS[number::2]: self._say(dice, dice.choice(mine))
        yield self._disturb

    def _again(self, act, dice):
        try:
            while not self._over.is_set():
                act(dice)
        except Exception:  # noqa: BLE001 (whatever it is, it is told at the end)
            self._trouble.append(f"the driver itself has failed:\n{traceback.format_exc()}")
            self._over.set()

    def _request(self, dice):
        self._over.wait(dice.uniform(0.05, 0.4))
        self._force(dice.choice(BUILDERS), dice.choice((0, 0.2, 0.6, 1.5)))

    def _force(self, builder, seconds):
        answer = self._post(
            f"forceschedulers/force-{builder}", "force", owner="torture", seconds=str(seconds)
        )
        if answer:
            self._requests.update(answer["result"][1].values())
            self.counts["requests"] += 1

    def _order(self, dice, worker):
        """Hold it in one of many ways, for a moment; or let it go on holding."""
        self._over.wait(dice.uniform(0.0, 1.0))
        what = dice.choice(("hold", "chase", "chase", "until", "drain", "work"))
        if what == "chase":
            # a build that has been chosen, and has not started
            self._force(worker, 0.2)
            self._over.wait(dice.uniform(0.0, 0.12))
        if what == "until":
            self._admin(worker, "hold", until=self.farm.wall + dice.uniform(1.0, 4.0))
        elif what == "drain":
            self._admin(worker, "drain")
        elif what == "work":
            self._admin(worker, "work", until=self.farm.wall + dice.uniform(1.0, 6.0))
            self._over.wait(dice.uniform(0.5, 2.0))
            self._admin(worker, "work", until=None)
        else:
            self._admin(worker, "hold", reason="torture")
        self._over.wait(dice.uniform(0.1, 1.0))
        if dice.random() < 0.8:
            self._admin(worker, "release")

    def _admin(self, worker, action, **parameters):
        """Order something, and keep account of it. Whether it was acknowledged."""
        sent = time.monotonic()
        with self._lock:
            if action != "work":
                self.account.ordered(worker, "admin", sent)
        answer = self._post(f"presences/{worker}", action, **parameters)
        at = time.monotonic()
        with self._lock:
            if action == "work":
                ends = answer and parameters["until"] is None
                self.account.suspended = [
                    (name, begin, at if ends and name == worker and end == float("inf") else end)
                    for name, begin, end in self.account.suspended
                ]
                if parameters["until"] is not None:
                    self.account.suspended.append((worker, sent, float("inf")))
            elif answer and action == "release":
                self.account.released()
            elif answer:
                until = parameters.get("until") or float("inf")
                self.account.held(worker, f"admin: {action}", at, until=until, children=action == "drain")
        self.counts[action] += answer is not None
        return answer

    def _say(self, dice, worker):
        self._over.wait(dice.uniform(0.0, 2.0))
        self._owner(worker, "away")
        self._over.wait(dice.uniform(0.0, 1.0))
        self._owner(worker, "back")

    def _owner(self, worker, word):
        """Let the owner say it, and keep account of it: the exit status."""
        with self._lock:
            self.account.ordered(worker, "owner", time.monotonic())
        status, _ = self.farm.presence(word, "--basedir", str(self.farm.worker(worker).directory))
        at = time.monotonic()
        with self._lock:
            if status == _KNOWN and word == "away":
                self.account.held(worker, "owner", at)
            elif status == _KNOWN:
                self.account.released()
        self.counts[word] += status == _KNOWN
        return status

    def _disturb(self, dice):
        self._over.wait(dice.uniform(0.5, 3.0))
        acts = [self._kill_worker, self._stop_worker, self._stop_master, self._kill_master, self._reconfig]
        acts += [self._reconfig, self._jump, self._there_and_back] if FAKETIME else [self._reconfig]
        acts += [self._restart] if self._restart_database else []
        act = dice.choice(acts)
        act(dice)
        self.counts[act.__name__.strip("_").replace("_", " ")] += 1

    def _kill_worker(self, dice):
        worker = self.farm.worker(dice.choice(WORKERS))
        worker.kill()
        self._over.wait(dice.uniform(0.0, 2.0))
        worker.start()

    def _stop_worker(self, dice):
        worker = self.farm.worker(dice.choice(WORKERS))
        worker.signal(signal.SIGSTOP)
        self._over.wait(dice.uniform(0.2, 3.0))
        worker.signal(signal.SIGCONT)

    def _stop_master(self, dice):
        with self._master:
            self.farm.master.signal(signal.SIGSTOP)
            self._over.wait(dice.uniform(0.2, 2.0))
            self.farm.master.signal(signal.SIGCONT)

    def _kill_master(self, dice):
        with self._master:
            self.farm.kill()
            self._over.wait(dice.uniform(0.0, 1.0))
            self.farm.launchMaster()

    def _restart(self, dice):
        with self._master:
            self._restart_database(dice)

    def _reconfig(self, dice):
        """Plan some breaks more, in master.cfg."""
        with self._master:
            planned = []
            for name in dice.sample(WORKERS, 2):
                start = self.farm.wall + dice.uniform(1.0, 6.0)
                stop = start + dice.uniform(1.5, 6.0)
                self.farm.breaks[name].append((_iso(start), _iso(stop)))
                planned.append((name, start, stop))
            self.farm.write()
            self.farm.reconfig()
            known = time.monotonic()
            with self._lock:
                self.account.breaks += [Planned(*each, known) for each in planned]

    def _jump(self, dice):
        self._set_clock(self.farm.clock + dice.uniform(-_BACK, 2 * _BACK))

    def _there_and_back(self, dice):
        before = self.farm.clock
        self._set_clock(before + dice.uniform(-_BACK, 2 * _BACK))
        self._over.wait(dice.uniform(0.1, 1.5))
        self._set_clock(before)

    def _set_clock(self, offset):
        with self._lock:
            self.account.jumps.append(time.monotonic())
        self.farm.setClock(offset)

    # --- the wire

    def _post(self, path, method, **params):
        """The answer; False when it was refused; None when nobody knows."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = HTTPRequest(
            f"http://127.0.0.1:{self.farm.www}/api/v2/{path}", body, {"Content-Type": "application/json"}
        )
        try:
            with self._open(request, timeout=20) as answer:
                return json.load(answer)
        except HTTPError:
            return False
        except (OSError, HTTPException, ValueError):
            time.sleep(0.1)
            return None


def _iso(wall):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(wall)) + f".{int(wall % 1 * 1000000):06d}"


def _lock_spans(notes):
    """(lock, exclusive, begin, end) of each build that held the lock `disk` and has said when it ended."""
    begun, spans = {}, []
    for note in notes:
        if note["what"] == "start" or note["builder"] not in {"counting", "exclusive"}:
            continue
        build = note["pid"], note["build"]
        if note["what"] == "begin":
            begun[build] = note
        elif build in begun:
            lock = f"disk on {note['worker']} of process {note['pid']}"
            spans.append((lock, note["builder"] == "exclusive", begun.pop(build)["at"], note["at"]))
    return spans
