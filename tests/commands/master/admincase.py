import argparse
import io
import json
import os
from contextlib import redirect_stderr, redirect_stdout
from email.message import Message
from urllib.parse import parse_qs, urlsplit

from twisted.trial.unittest import SynchronousTestCase

from presence.calendar.zones import zoneFor
from presence.commands import http, terminal
from presence.commands.master import credentials, drain, log, stopmaster, why
from presence.commands.master import workers as admin
from presence.commands.rolling import command as roll

UTC = zoneFor("UTC")
#: 2026-11-23 06:00 UTC, a Monday.
NOW = 1795413600.0
HOUR = 3600


def worker(name, workerid, *, holds=(), holdable=True, builders=(1,), running=0, **more):
    """An entity as the API tells it."""
    untils = [each["until"] for each in holds]
    return {
        "workerid": workerid,
        "name": name,
        "state": "NOT_ACCEPTING_NEW_BUILDS" if holds else "AVAILABLE",
        "holds": list(holds),
        "connected": True,
        "busy": running > 0,
        "running": running,
        "back_at": None if None in untils or not untils else max(untils),
        "next_break": None,
        "breaks": [],
        "work_until": None,
        "builders": list(builders),
        "holdable": holdable,
        "drain": None,
        **more,
    }


def hold(source="admin", reason=None, by=None, since=NOW, until=None):
    return {"source": source, "reason": reason, "by": by, "since": since, "until": until}


class FakeMaster:
    """A Buildbot in memory, with workers, builders, one user (ann, s3cret), and rules."""

    def __init__(self):
        self.workers = {
            each["name"]: each
            for each in (
                worker("mac-mini", 1, running=1),
                worker(
                    "mac-pro", 2, holds=[hold("break", "office hours", until=NOW + HOUR)], builders=(1, 2)
                ),
                worker("plain", 3, holdable=False),
            )
        }
        self.builders = [
            {
                "builderid": number,
                "name": name,
                "state": "AVAILABLE" if ready else "NOT_ACCEPTING_NEW_BUILDS",
                "ready": ready,
                "total": 3,
                "waiting": waiting,
                "reason": None if ready else "mac-pro: on a break",
                "back_at": None if ready else NOW + HOUR,
            }
            for number, name, ready, waiting in ((1, "runtests", 2, 0), (2, "mac only", 0, 4))
        ]
        self.running = []
        #: what the API answers under other paths, by path
        self.more = {}
        self.shutdown = {"masterid": 1, "state": "running", "deadline": None, "on_deadline": None}
        self.needsLogin = False
        self.hasLogin = True
        self.stream = b""
        self.requests = []
        self.sessions = set()
        self.authorizations = []
        self.tokens = set()
        self.broken = 0
        #: why holds and drains are refused that are not forced
        self.floor = None
        #: the builds from inside of which orders are given that say from where
        self.inside = []
        #: how orders are acknowledged, by worker
        self.acknowledged = {}

    def answer(self, method, target, body, headers):
        """(status, headers, body) of an answer."""
        parts = urlsplit(target)
        self.authorizations.append(headers.get("Authorization"))
        self.requests.append((method, parts.path, body))
        path = parts.path.removeprefix("/bb/")
        if path == "auth/login":
            return self.login(headers)
        if path.startswith("sse/listen/"):
            return 200, {}, self.stream
        if method == "GET":
            return self.get(path.removeprefix("api/v2/"), parse_qs(parts.query))
        return self.post(path.removeprefix("api/v2/"), json.loads(body), headers)

    def login(self, headers):
        if not self.hasLogin:
            return 501, {}, b"not implemented"
        if headers.get("Authorization") != "Basic YW5uOnMzY3JldA==":
            return 401, {"WWW-Authenticate": "Basic"}, b"Unauthorized"
        self.sessions.add("TWISTED_SESSION=secret")
        return (
            302,
            {"Set-Cookie": "TWISTED_SESSION=secret; HttpOnly", "Location": "http://evil.example/"},
            b"",
        )

    def get(self, path, query):
        found = {
            "presences": list(self.workers.values()),
            "builderpresences": self.builders,
            "runningbuilds": self.running,
            "shutdown": [self.shutdown],
            **self.more,
        }
        found = found.get(path)
        if found is None:
            return 404, {}, json.dumps({"error": "Invalid path"}).encode()
        for number in query.get("builders__contains", ())[:1]:
            wanted = {int(each) for each in query["builders__contains"]}
            found = [each for each in found if wanted & set(each["builders"])]
            del number
        return 200, {}, json.dumps({path: found, "meta": {}}).encode()

    def post(self, path, call, headers):
        known = headers.get("Cookie") in self.sessions or headers.get("Authorization") in self.tokens
        if self.needsLogin and not known:
            return 403, {}, json.dumps({"error": {"message": "you need to have role 'admins'"}}).encode()
        if path.endswith("shutdown"):
            stop = call["method"] == "stop"
            self.shutdown = {**self.shutdown, "state": "stopping" if stop else "running", **call["params"]}
            if stop and call["params"]["deadline"] is not None:
                self.shutdown["on_deadline"] = call["params"]["on_deadline"] or "abort"
            return 200, {}, json.dumps({"result": {**self.shutdown, **self.insideOf(call)}}).encode()
        params = call["params"]
        if path.startswith("builderpresences/"):
            (builder,) = (each for each in self.builders if path == f"builderpresences/{each['builderid']}")
            held = hold(by="ann", **params) if call["method"] == "hold" else None
            builder = {**builder, "hold": held, "state": "NOT_ACCEPTING_NEW_BUILDS" if held else "AVAILABLE"}
            return 200, {}, json.dumps({"result": builder}).encode()
        names = params.pop("workers", None)
        if path != "presences":
            names = [
                each["name"] for each in self.workers.values() if path == f"presences/{each['workerid']}"
            ]
        if self.floor and call["method"] in {"hold", "drain"} and not params.get("force"):
            return 400, {}, json.dumps({"error": {"message": self.floor}}).encode()
        for name in names:
            if not self.workers[name]["holdable"]:
                message = f"{name} is one of Buildbot's own"
                return 400, {}, json.dumps({"error": {"message": message}}).encode()
        after = [
            {**self.follow(self.workers[name], call["method"], params), **self.acknowledged.get(name, {})}
            for name in names
        ]
        result = {"presences": after} if path == "presences" else after[0]
        return 200, {}, json.dumps({"result": {**result, **self.insideOf(call)}}).encode()

    def insideOf(self, call):
        return {"inside": self.inside} if "ancestors" in call["params"] else {}

    def follow(self, found, method, params):
        """The worker after it was ordered this."""
        holds = [each for each in found["holds"] if each["source"] != "admin"]
        params = {name: value for name, value in params.items() if name != "force"}
        if method == "hold":
            holds.append(hold(by="ann", **params))
        more = {}
        if method == "drain":
            holds.append(hold(by="ann", reason=params["reason"]))
            more = {
                "running": found["running"],
                "drain": {
                    "state": "draining" if found["running"] else "drained",
                    "deadline": params["deadline"],
                    "on_deadline": params["on_deadline"] or "interrupt",
                    "group": params["group"],
                },
            }
        after = worker(found["name"], found["workerid"], holds=holds, builders=found["builders"], **more)
        self.workers[found["name"]] = after
        return after

    def posted(self):
        """(path, method, params) of each POST."""
        calls = [(path, json.loads(body)) for method, path, body in self.requests if method == "POST"]
        return [(path.rpartition("/")[2], call["method"], call["params"]) for path, call in calls]


class FakeSocket:
    def settimeout(self, seconds):
        pass


class FakeResponse(io.BytesIO):
    def __init__(self, status, headers, body):
        super().__init__(body)
        self.status = status
        self.reason = "Reason"
        self.headers = Message()
        for name, value in headers.items():
            self.headers[name] = value


class AdminTestCase(SynchronousTestCase):
    def setUp(self):
        self.master = master = FakeMaster()
        self.connections = connections = []
        self.patch(os, "environ", {"HOME": self.mktemp()})
        self.patch(terminal.time, "time", lambda: NOW)
        self.patch(terminal, "localZone", lambda: "UTC")
        self.patch(credentials.sys, "stdin", io.StringIO())

        class FakeConnection:
            sock = FakeSocket()

            def __init__(self, address, timeout):
                connections.append(address)

            def request(self, method, target, body, headers):
                self.pending = master.answer(method, target, body, headers)

            def getresponse(self):
                if master.broken:
                    master.broken -= 1
                    raise ConnectionResetError("reset")
                return FakeResponse(*self.pending)

            def close(self):
                pass

        class FakeSecureConnection(FakeConnection):
            pass

        self.patch(http, "HTTPConnection", FakeConnection)
        self.patch(http, "HTTPSConnection", FakeSecureConnection)

    def run_(self, *arguments, url="https://farm.example/bb/"):
        """(exit status, standard output, standard error) of the command."""
        parser = argparse.ArgumentParser(prog="presence")
        subparsers = parser.add_subparsers(required=True)
        admin.addParser(subparsers)
        drain.addParser(subparsers)
        stopmaster.addParser(subparsers)
        why.addParser(subparsers)
        roll.addParser(subparsers)
        log.addParser(subparsers)
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            try:
                where = [] if url is None else ["--url", url]
                options = parser.parse_args([arguments[0], *where, *arguments[1:]])
                status = options.run(options)
            except SystemExit as end:
                status = end.code
            except KeyboardInterrupt:  # as `main` does
                status = 130
        return status, out.getvalue(), err.getvalue()

    def done(self, *arguments, **keywords):
        """The lines that a command prints which succeeds."""
        status, out, err = self.run_(*arguments, **keywords)
        self.assertEqual((status, err), (0, ""))
        return out.splitlines()
