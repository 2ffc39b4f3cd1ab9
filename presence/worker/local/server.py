"""`LocalWeb`: the server on this machine with which the command line and the local page speak."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from twisted.application.service import Service
from twisted.internet.defer import gatherResults, maybeDeferred, succeed
from twisted.internet.error import CannotListenError
from twisted.logger import Logger
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from presence import files
from presence.files import Lock
from presence.wire.localaddress import OPEN_FILENAME, LocalAddress, LocalFile
from presence.worker.local.access import Access, AccessError
from presence.worker.local.api import LocalAPI, SayingError
from presence.worker.local.events import EventStreams
from presence.worker.local.pages import INDEX, entered, notEntered, pageFile
from presence.worker.local.sessions import Sessions
from presence.worker.local.site import Connections, trust

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall
    from twisted.python.failure import Failure

    from presence.worker.local.accounts import OwnersSocket
    from presence.worker.owner import Owner

_log = Logger()

_OK, _NOT_FOUND, _NOT_ALLOWED, _BROKEN, _BUSY = 200, 404, 405, 500, 503

# a form to enter has one
_MAX_FIELDS = 10

#: How long it is until what has not worked is tried again, in seconds.
AGAIN = 10.0

_HTML = "text/html; charset=utf-8"
_TEXT = "text/plain; charset=utf-8"

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class LocalWeb(Service):
    """Listens on `port` of 127.0.0.1 (0: one that is free) while it runs, and says so in `presence-local.json`, and to the
    accounts that `owners` lets in. Where another program has the port it takes one that is free.

    A worker whose server cannot begin works on without it; why is in its log.
    """

    def __init__(
        self, owner: Owner, basedir: str, port: int, reactor: Any, owners: OwnersSocket | None = None
    ) -> None:
        self._owner = owner
        self._owners = owners
        # a page that was let in comes back to an address that stays
        self._sessions = Sessions(basedir, reactor) if port else None
        self._wanted = port
        self._reactor = reactor
        self._port: Any = None
        self._connections: Connections | None = None
        self._file = LocalFile(basedir)
        self._door = Path(basedir) / OPEN_FILENAME
        self._api = LocalAPI(owner, reactor)
        self._access: Access | None = None
        self._streams: EventStreams | None = None
        self._end_observation: Callable[[], object] | None = None
        self._again: IDelayedCall | None = None
        # what was said last of why it does not work
        self._why = ""
        self._lock = Lock(Path(basedir))

    def startService(self) -> None:
        """Listen, and tell the owner's account where."""
        super().startService()  # type: ignore[no-untyped-call]
        self._begin()

    def _begin(self) -> None:
        self._again = None
        if not self._lock.acquire():
            self._try_again(
                self._begin, "another worker runs in this directory, or just ends: each needs one of its own"
            )
            return
        access = Access(self._reactor, lambda: files.remove(self._door), self._sessions)
        streams = EventStreams(self._reactor, lambda: _json(self._api.status()))
        root = LocalRoot(self._owner.name, access, self._api, streams)
        self._connections = Connections(root, self._reactor)
        try:
            self._port = self._listen(self._connections)
            root.port = self._port.getHost().port
        except Exception as problem:  # noqa: BLE001
            # whatever it is, the worker goes on building
            _log.error(
                "presence: no command line and no page: {problem}; the worker works on without",
                problem=problem,
            )
            self._stop_listening()
            return
        # of a process that was killed
        files.remove(self._door)
        address = LocalAddress(os.getpid(), root.port, access.token)
        self._announce(address)
        if self._owners is not None:
            self._owners.open(address)
        self._access, self._streams = access, streams
        self._end_observation = self._owner.observe(streams.changed)
        _log.info("presence: listening on 127.0.0.1:{port} for the owner", port=root.port)

    def _listen(self, connections: Connections) -> Any:
        try:
            return self._reactor.listenTCP(self._wanted, connections, interface="127.0.0.1")
        except CannotListenError as problem:
            if not self._wanted:
                raise
            _log.warn(
                "presence: the port {port} of the page cannot be had ({problem}): until the next start it is another",
                port=self._wanted,
                problem=problem.socketError,
            )
            return self._reactor.listenTCP(0, connections, interface="127.0.0.1")

    def _announce(self, address: LocalAddress) -> None:
        """Say where it listens; where the disk is full, as soon as there is room."""
        self._again = None
        try:
            self._file.write(address)
        except OSError as problem:
            self._try_again(
                partial(self._announce, address), f"{self._file.path} cannot be written: {problem}"
            )

    def _try_again(self, what: Callable[[], object], why: str) -> None:
        if why != self._why:
            _log.error(
                "presence: no command line and no page: {why}; it is tried again every {pause:.0f} s, and the worker "
                "works on without",
                why=why,
                pause=AGAIN,
            )
        self._why = why
        self._again = self._reactor.callLater(AGAIN, what)

    def clockJumped(self) -> None:
        """The clock has been set: what is told, or tried again, is not put off for hours."""
        if self._streams is not None:
            self._streams.clockJumped()
        if self._access is not None:
            self._access.clockJumped()
        if self._again is not None:
            self._again.reset(AGAIN)

    def stopService(self) -> Any:
        """Let nobody in any more."""
        super().stopService()  # type: ignore[no-untyped-call]
        if self._end_observation is not None:
            self._end_observation()
        if self._streams is not None:
            self._streams.close()
        if self._access is not None:
            self._access.close()
            self._file.remove(self._access.token)
        if self._again is not None:
            self._again.cancel()
            self._again = None
        ends = [self._stop_listening()]
        if self._owners is not None:
            ends.append(self._owners.close())
        # who is next in this directory finds nothing of ours, and we take nothing of his away
        return gatherResults(ends).addBoth(lambda _: self._lock.release())

    def _stop_listening(self) -> Any:
        port, self._port = self._port, None
        if self._connections is not None:
            self._connections.close()
        return succeed(None) if port is None else maybeDeferred(port.stopListening)


class LocalRoot(Resource):
    """All that is served: what is asked is looked up, checked, and answered."""

    isLeaf = True

    def __init__(self, name: str, access: Access, api: LocalAPI, streams: EventStreams) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = name
        self._access = access
        self._api = api
        self._streams = streams
        self.port = 0
        self._routes: dict[str, tuple[str, Callable[[Any], Any]]] = {
            "/": ("GET", self._page),
            "/enter": ("POST", self._enter),
            "/api/status": ("GET", self._status),
            "/api/events": ("GET", self._events),
            "/api/ticket": ("POST", self._ticket),
            **{f"/api/{order}": ("POST", self._say) for order in api.orders},
        }

    def render(self, request: Any) -> Any:
        """Answer the request."""
        for name, value in HEADERS.items():
            request.setHeader(name, value)
        try:
            return self._answer(request)
        except AccessError as problem:
            return _send(request, problem.code, _TEXT, f"{problem}\n".encode())
        except SayingError as problem:
            return _send_json(request, problem.code, {"error": str(problem)})

    def _answer(self, request: Any) -> Any:
        path = request.path.decode("latin-1")
        # a file, which `presence open` makes, has no origin
        self._access.checkAddressed(request, self.port, nullOrigin=path == "/enter")
        if path.startswith("/api/"):
            self._access.checkAllowed(request)
            trust(request)
        method, answer = (
            ("GET", self._static) if path.startswith("/static/") else self._routes.get(path, ("", None))
        )
        if answer is None:
            raise SayingError(_NOT_FOUND, "there is nothing here: see docs/owner.rst for what there is")
        asked = request.method.decode("latin-1")
        if asked != method and not (method == "GET" and asked == "HEAD"):
            request.setHeader("Allow", method)
            raise SayingError(_NOT_ALLOWED, f"use {method} for {path}")
        return answer(request)

    # --- the page: it holds no secret, and anybody may have it

    def _page(self, request: Any) -> Any:
        return self._file(request, INDEX)

    def _static(self, request: Any) -> Any:
        return self._file(request, request.path.decode("latin-1").removeprefix("/static/"))

    def _file(self, request: Any, name: str) -> Any:
        found = pageFile(name)
        if found is None:
            raise SayingError(_NOT_FOUND, "the page has no such file")
        return _send(request, _OK, *found)

    def _enter(self, request: Any) -> Any:
        # of the body only: what stands in an address stays in a history
        body = request.content.read().decode("latin-1")
        try:
            fields = parse_qs(body, max_num_fields=_MAX_FIELDS)
        except ValueError:
            fields = {}
        try:
            session = self._access.enter(fields.get("ticket", [""])[0])
        except AccessError as problem:
            return _send(request, problem.code, _HTML, notEntered(str(problem)))
        return _send(request, _OK, _HTML, entered(session))

    # --- the API

    def _status(self, request: Any) -> Any:
        return _send_json(request, _OK, self._api.status())

    def _events(self, request: Any) -> Any:
        if self._streams.full:
            raise SayingError(_BUSY, "there are too many open pages already: close one of them")
        request.setHeader("Content-Type", "text/event-stream; charset=utf-8")
        if request.method == b"HEAD":
            return b""
        self._streams.add(request)
        return NOT_DONE_YET

    def _ticket(self, request: Any) -> Any:
        self._access.checkToken(request)
        return _send_json(request, _OK, {"ticket": self._access.makeTicket(), "name": self._name})

    def _say(self, request: Any) -> Any:
        name = request.path.decode("latin-1").removeprefix("/api/")
        gone: list[object] = []
        request.notifyFinish().addErrback(gone.append)

        def finish(code: int, answer: dict[str, Any]) -> None:
            if not gone:
                request.write(_send_json(request, code, answer))
                request.finish()

        def failed(failure: Failure) -> None:
            problem = failure.value
            if isinstance(problem, SayingError):
                finish(problem.code, {"error": str(problem)})
                return
            _log.failure("presence: {name} has failed", failure, name=name)
            finish(_BROKEN, {"error": "this is a mistake in presence: twistd.log says more"})

        done = self._api.say(name, request.content.read())
        done.addCallback(lambda answer: finish(_OK, answer)).addErrback(failed)
        return NOT_DONE_YET


def _json(value: object) -> bytes:
    return json.dumps(value, allow_nan=False).encode()


def _send_json(request: Any, code: int, value: object) -> bytes:
    return _send(request, code, "application/json", _json(value) + b"\n")


def _send(request: Any, code: int, kind: str, body: bytes) -> bytes:
    request.setResponseCode(code)
    request.setHeader("Content-Type", kind)
    request.setHeader("Content-Length", str(len(body)))
    return body
