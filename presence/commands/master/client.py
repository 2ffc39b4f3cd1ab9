"""Asks a master's REST API, and follows its events. It needs no Buildbot here, and follows no redirect.

(A redirect could lead the password to another host; and after a login Buildbot redirects to its pages.)
"""

from __future__ import annotations

import base64
import json
import sys
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from http.cookies import SimpleCookie
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from http.client import HTTPResponse

    from presence.commands.master.credentials import Credentials

# How long an answer may take, in seconds.
_PATIENCE = 60.0

_OK = 200
_UNAUTHORIZED = 401
_REFUSED = (401, 403)
_NO_LOGIN = (404, 501)


class MasterError(Exception):
    """The master cannot be asked, or has refused; the message says why."""


class NoAnswerError(MasterError):
    """The master does not answer: it may be restarting."""


class CredentialsSource(Protocol):
    """Where credentials come from: `ask` allows to ask whoever sits at the terminal."""

    def __call__(self, host: str, *, ask: bool) -> Credentials | None:
        """The credentials for `host`, or None."""


class MasterClient:
    """One master. `url` is that of its web UI.

    It logs in before it orders anything, when there are credentials; and when the master refuses something.
    """

    def __init__(self, url: str, credentials: CredentialsSource) -> None:
        self._connect, self._host, self._address, self._base = _read(url)
        self._url = url
        self._credentials = credentials
        self._connection: HTTPConnection | None = None
        self._headers: dict[str, str] = {}
        self._user: str | None = None

    def get(self, path: str, **filters: list[str]) -> list[dict[str, Any]]:
        """The entities of a collection, or the one that `path` names."""
        query = f"?{urlencode(filters, doseq=True)}" if filters else ""
        answer = self._asked("GET", f"api/v2/{path}{query}")
        entities: list[dict[str, Any]] = next(value for key, value in answer.items() if key != "meta")
        return entities

    def post(self, path: str, action: str, **params: Any) -> dict[str, Any]:
        """The result of an action."""
        if self._user is None:
            self._log_in(ask=False)
        body = {"jsonrpc": "2.0", "id": 1, "method": action, "params": params}
        result: dict[str, Any] = self._asked("POST", f"api/v2/{path}", body)["result"]
        return result

    def events(self, path: str, begun: Callable[[], object]) -> Iterator[tuple[list[str], dict[str, Any]]]:
        """The events under `path`, in which * is anything, as (key, message), until the master ends them.

        `begun` is called when no event can be missed any more.
        """
        response = self._send("GET", f"sse/listen/{quote(path, safe='*/')}", None, patience=None)
        # from here on it is taken by the events
        connection, self._connection = self._connection, None
        try:
            self._check(response, b"" if response.status == _OK else response.read())
            for kind, data in _server_sent_events(response):
                if kind == "handshake":
                    begun()
                elif kind == "event":
                    event = json.loads(data)
                    yield event["key"], event["message"]
        except (OSError, HTTPException, ValueError) as problem:
            raise MasterError(f"{self._url}: {problem}") from None
        finally:
            if connection is not None:
                connection.close()

    def close(self) -> None:
        """End the connection, and the session."""
        self._headers, self._user = {}, None
        self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _asked(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        response = self._send(method, path, body)
        text = response.read()
        if response.status in _REFUSED and self._user is None and self._log_in(ask=True):
            response = self._send(method, path, body)
            text = response.read()
        self._check(response, text)
        try:
            answer = json.loads(text)
        except ValueError:
            raise MasterError(f"{self._url} is no Buildbot: give the URL of its web UI with --url") from None
        return answer  # type: ignore[no-any-return]

    def _check(self, response: HTTPResponse, text: bytes) -> None:
        """Raise what the master says when it says no, in `text`."""
        if response.status == _OK:
            return
        try:
            error = json.loads(text)["error"]
            said = error["message"] if isinstance(error, dict) else error
        except (ValueError, KeyError, TypeError):
            said = f"{response.status} {response.reason}: is this the URL of a Buildbot?"
        if response.status in _REFUSED:
            who = "you have not logged in" if self._user is None else f"you are {self._user}"
            said = f"{said} ({who})"
        raise MasterError(f"{said}")

    def _log_in(self, *, ask: bool) -> bool:
        """Log in, if there are credentials; whether there are."""
        credentials = self._credentials(self._host, ask=ask)
        if credentials is None:
            return False
        if self._connect is HTTPConnection and not _is_loopback(self._host):
            print(f"warning: {self._url} is not https: the password can be read on its way", file=sys.stderr)
        secret = base64.b64encode(f"{credentials.user}:{credentials.password}".encode()).decode()
        # with every request, for a proxy in front of Buildbot that wants it
        self._headers["Authorization"] = f"Basic {secret}"
        response = self._send("GET", "auth/login", None)
        response.read()
        if response.status == _UNAUTHORIZED:
            raise MasterError(
                f"{self._host} does not know the user {credentials.user}, or not with this password"
            )
        cookies = SimpleCookie()
        for header in response.headers.get_all("Set-Cookie", ()):
            cookies.load(header)
        if response.status in _NO_LOGIN or not cookies:
            print(
                f"warning: {self._host} has no login with a password; going on without one", file=sys.stderr
            )
        self._headers["Cookie"] = "; ".join(f"{each.key}={each.coded_value}" for each in cookies.values())
        self._user = credentials.user
        return True

    def _send(self, method: str, path: str, body: Any, patience: float | None = _PATIENCE) -> HTTPResponse:
        headers = {"Accept": "application/json", **self._headers}
        payload = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            payload = json.dumps(body).encode()
        for fresh in (self._connection is None, True):
            if self._connection is None:
                self._connection = self._connect(self._address, timeout=_PATIENCE)
            try:
                self._connection.request(method, f"{self._base}{path}", payload, headers)
                self._connection.sock.settimeout(patience)
                response = self._connection.getresponse()
            except (OSError, HTTPException) as problem:
                self._disconnect()
                if fresh:
                    raise NoAnswerError(f"{self._url} does not answer: {problem}") from None
                # the master has closed a connection that was idle; asking again does no harm
            else:
                return response
        raise AssertionError  # the second time is fresh


def _read(url: str) -> tuple[type[HTTPConnection], str, str, str]:
    """How to connect to `url`, its host, its host with the port, and the path under which all others are."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as problem:
        raise MasterError(f"{url!r} is no URL: {problem}") from None
    if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment:
        raise MasterError(f"{url!r} is not the URL of a Buildbot: write http://HOST:PORT/ or https://HOST/")
    if parts.username is not None or parts.password is not None:
        raise MasterError(
            "there is a user in the URL, which others can read: set PRESENCE_USER and PRESENCE_PASSWORD, or "
            "write them to a file for --netrc"
        )
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    address = f"[{host}]" if ":" in host else host
    if port is not None:
        address = f"{address}:{port}"
    return kind, host, address, f"{parts.path.rstrip('/')}/"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _server_sent_events(lines: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """(kind, data) of each event."""
    kind, data = "", ""
    for line in lines:
        name, _, value = line.decode("utf-8", "replace").rstrip("\r\n").partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            data = value
        elif not name and kind:
            yield kind, data
            kind, data = "", ""
