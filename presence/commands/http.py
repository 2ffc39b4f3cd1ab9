"""HTTP for all commands: requests, answers in JSON, and streams of events. It follows no redirect.

(A redirect could lead a password to another host. The standard library is enough, and is there at once.)
Proxies are those of the environment, as everywhere: HTTP_PROXY, HTTPS_PROXY, NO_PROXY. What is on this machine is asked without one.
"""

from __future__ import annotations

import json
import os
from base64 import b64encode
from http.client import HTTPConnection, HTTPException, HTTPSConnection, IncompleteRead
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from http.client import HTTPResponse

#: How long an answer may take, in seconds.
PATIENCE = 60.0

# How long an answer to a question may be silent before it begins, in seconds, until it is asked for again; and how long in the
# middle of it.
_PATIENCES, _STALL = (10.0, 10.0, 40.0), 5.0

#: What may go wrong on the way.
ConnectionFailed = (OSError, HTTPException)

# What comes of an answer that is cut off.
_CUT_OFF = (TimeoutError, IncompleteRead)


class HTTPClient:
    """Speaks with `address` (host, or host:port); `base` comes before every path."""

    def __init__(self, address: str, base: str = "/", *, https: bool = False) -> None:
        self._https = https
        self._address = address
        self._base = base
        self._connection: HTTPConnection | None = None

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        *,
        patience: float | None = PATIENCE,
        stall: float | None = PATIENCE,
    ) -> HTTPResponse:
        """The answer, which is still to be read; `body` is sent as JSON, unless it is None. Raises `ConnectionFailed`: also when it
        is silent for so long, before it begins (`patience`) or in the middle of it (`stall`).
        """
        content = None if body is None else json.dumps(body).encode()
        given = {"Accept": "application/json", "Content-Type": "application/json", **(headers or {})}
        if method != "GET":
            # what goes wrong on a connection that was idle could be an order that was heard, and is given once
            self.close()
        for fresh in (self._connection is None, True):
            if self._connection is None:
                self._connection = self._connect()
            try:
                self._connection.request(method, f"{self._base}{path}", content, given)
                sock = self._connection.sock
                sock.settimeout(patience)
                response = self._connection.getresponse()
                sock.settimeout(stall)
            except ConnectionFailed as problem:
                self.close()
                if fresh or isinstance(problem, TimeoutError):
                    raise
                # the other side has closed a connection that was idle; asking again does no harm
            else:
                return response
        raise AssertionError  # the second time is fresh

    def _connect(self) -> HTTPConnection:
        proxy = _proxy_of(self._address, https=self._https)
        if proxy is None:
            return (HTTPSConnection if self._https else HTTPConnection)(self._address, timeout=PATIENCE)
        if not self._https:
            return _Proxied(proxy.address, timeout=PATIENCE, origin=self._address, headers=proxy.headers)
        connection = HTTPSConnection(proxy.address, timeout=PATIENCE)
        connection.set_tunnel(self._address, headers=proxy.headers)
        return connection

    def read(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        *,
        again: Callable[[], object] = lambda: None,
    ) -> tuple[HTTPResponse, bytes]:
        """The answer, and all of its content. Raises `ConnectionFailed`.

        Some servers cut off an answer now and then, and never end it (Buildbot #9065). A question whose answer stays silent, or
        ends too early, is asked again, and before that `again` is called; an order is not.
        """
        patiences = _PATIENCES if method == "GET" else (PATIENCE,)
        for tries, patience in enumerate(patiences, 1):
            try:
                stall = PATIENCE if tries == len(patiences) else _STALL
                response = self.send(method, path, body, headers, patience=patience, stall=stall)
                return response, response.read()
            except ConnectionFailed as problem:
                self.close()
                if tries == len(patiences) or not isinstance(problem, _CUT_OFF):
                    raise
            again()
        raise AssertionError  # the last time it is raised

    def events(self, response: HTTPResponse) -> Iterator[tuple[str, str]]:
        """(kind, data) of each event of an answer that is a stream, until the other side ends it."""
        # from here on the connection is taken by the events
        connection, self._connection = self._connection, None
        try:
            yield from _server_sent_events(response)
        finally:
            if connection is not None:
                connection.close()

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class _Proxy(NamedTuple):
    address: str
    headers: dict[str, str]


class _Proxied(HTTPConnection):
    """A connection to a proxy, which is asked for what is at `origin`."""

    def __init__(self, address: str, *, timeout: float, origin: str, headers: dict[str, str]) -> None:
        super().__init__(address, timeout=timeout)
        self._origin, self._for_proxy = origin, headers

    def request(self, method: str, url: str, body: Any = None, headers: Any = None, **more: Any) -> None:
        """As of any connection."""
        given = {**(headers or {}), **self._for_proxy}
        super().request(method, f"http://{self._origin}{url}", body, given, **more)


def _proxy_of(address: str, *, https: bool) -> _Proxy | None:
    """The proxy to this address, if there is to be one."""
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    host = urlsplit(f"//{address}").hostname or ""
    # where there is no proxy this takes no time
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415

    proxies = getproxies()
    found = proxies.get("https" if https else "http") or proxies.get("all")
    if not found or _is_here(host) or proxy_bypass(address):
        return None
    parts = urlsplit(found if "//" in found else f"//{found}")
    if parts.scheme not in {"", "http"}:
        raise OSError(f"{parts.scheme}: is not a kind of proxy that is known here; write http://HOST:PORT")
    who = ""
    if parts.username is not None:
        who = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    headers = {"Proxy-Authorization": f"Basic {b64encode(who.encode()).decode()}"} if who else {}
    return _Proxy(parts.netloc.rpartition("@")[2], headers)


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def errorIn(content: bytes) -> str | None:
    """What a server says that is wrong, as our servers and Buildbot say it; None when it is said in no such way."""
    try:
        error = json.loads(content)["error"]
        return str(error["message"] if isinstance(error, dict) else error)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _server_sent_events(lines: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    kind, data = "", ""
    for line in lines:
        name, _, value = line.decode("utf-8", "replace").rstrip("\r\n").partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            data = value
        elif not name and not value:
            if kind or data:
                yield kind or "message", data
            kind, data = "", ""
