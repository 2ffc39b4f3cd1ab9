"""Asks a master's REST API, and follows its events. It needs no Buildbot here."""

from __future__ import annotations

import base64
import json
from http.cookies import SimpleCookie
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

from presence.commands.http import PATIENCE, ConnectionFailed, HTTPClient, errorIn
from presence.commands.master.credentials import Bearer
from presence.commands.terminal import complain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.client import HTTPResponse

    from presence.commands.master.credentials import Credentials

_OK = 200
_NOT_FOUND = 404
_UNAUTHORIZED = 401
_REFUSED = (401, 403)
_NO_LOGIN = (404, 501)


_NO_PRESENCES = (
    ": this master has no presences, or older ones. Put util.PresenceService() into its c['services']"
)


class MasterError(Exception):
    """The master cannot be asked, or has refused; the message says why."""


class NoAnswerError(MasterError):
    """The master does not answer: it may be restarting."""


class NotThereError(MasterError):
    """The master has nothing of that name."""


class CredentialsSource(Protocol):
    """Where credentials come from: `ask` allows to ask whoever sits at the terminal."""

    def __call__(self, host: str, *, ask: bool) -> Credentials | Bearer | None:
        """The credentials for `host`, or None."""


class MasterClient:
    """One master. `url` is that of its web UI.

    It logs in before it orders anything, when there are credentials; and when the master refuses something.
    """

    def __init__(self, url: str, credentials: CredentialsSource) -> None:
        self._https, self._host, address, base = _parts(url)
        self._http = HTTPClient(address, base, https=self._https)
        self.url = self._url = url
        self._credentials = credentials
        self._headers: dict[str, str] = {}
        # whether the credentials have been used, and whom the master takes one for
        self._introduced = False
        self._user: str | None = None

    def get(self, path: str, **filters: list[str]) -> list[dict[str, Any]]:
        """The entities of a collection, or the one that `path` names."""
        query = f"?{urlencode(filters, doseq=True)}" if filters else ""
        answer = self._asked("GET", f"api/v2/{path}{query}")
        entities = next((value for key, value in answer.items() if key != "meta"), None)
        if "meta" not in answer or not isinstance(entities, list):
            raise self._no_buildbot()
        return entities

    def post(self, path: str, action: str, **params: Any) -> dict[str, Any]:
        """The result of an action of ours: an object."""
        result = self.call(path, action, **params)
        if not isinstance(result, dict):
            raise self._no_buildbot()
        return result

    def call(self, path: str, action: str, **params: Any) -> Any:
        """The result of an action, whatever it is."""
        if not self._introduced:
            self._log_in(ask=False)
        body = {"jsonrpc": "2.0", "id": 1, "method": action, "params": params}
        return self._asked("POST", f"api/v2/{path}", body).get("result")

    def events(self, path: str, begun: Callable[[], object]) -> Iterator[tuple[list[str], dict[str, Any]]]:
        """The events under `path`, in which * is anything, as (key, message), until the master ends them.

        `begun` is called when no event can be missed any more.
        """
        response = self._send("GET", f"sse/listen/{quote(path, safe='*/')}", None, patience=None)
        try:
            self._check(response, b"" if response.status == _OK else response.read())
            for kind, data in self._http.events(response):
                if kind == "handshake":
                    begun()
                elif kind == "event":
                    event = json.loads(data)
                    yield event["key"], event["message"]
        except (*ConnectionFailed, ValueError, KeyError, TypeError) as problem:
            raise MasterError(f"{self._url}: {problem}") from None

    def close(self) -> None:
        """End the connection, and the session."""
        self._headers, self._introduced, self._user = {}, False, None
        self._http.close()

    def _asked(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        response, text = self._read(method, path, body)
        if response.status in _REFUSED and not self._introduced and self._log_in(ask=True):
            response, text = self._read(method, path, body)
        self._check(response, text)
        try:
            answer = json.loads(text)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise self._no_buildbot()
        return answer

    def _no_buildbot(self) -> MasterError:
        return MasterError(f"{self._url} is not a Buildbot's: give the URL of its web UI with --url")

    def _check(self, response: HTTPResponse, text: bytes) -> None:
        """Raise what the master says when it says no, in `text`."""
        if response.status == _OK:
            return
        said = errorIn(text) or f"{response.status} {response.reason}: is this the URL of a Buildbot?"
        if response.status == _NOT_FOUND:
            # (of a path that nobody knows, and of an entity that is not there)
            raise NotThereError(f"{said}{_NO_PRESENCES if 'nvalid path' in said else ''}")
        if response.status in _REFUSED:
            said += self._who()
        raise MasterError(said)

    def _who(self) -> str:
        """What is added to a refusal: for whom the master takes one. To whoever has sent a token it says so itself."""
        if "Bearer" in self._headers.get("Authorization", ""):
            return ""
        if self._user is not None:
            return f" (you are {self._user})"
        if not self._introduced:
            return " (you have not logged in)"
        return (
            " (nobody has logged in: the master has no login with a password. Name its directory, with "
            'PresenceService(operator="ROLE"), or set PRESENCE_TOKEN to what `presence token make` prints)'
        )

    def _log_in(self, *, ask: bool) -> bool:
        """Log in, if there are credentials; whether there are."""
        credentials = self._credentials(self._host, ask=ask)
        if credentials is None:
            return False
        if isinstance(credentials, Bearer):
            self._bear(credentials)
            return True
        if not self._https and not _is_loopback(self._host):
            complain(f"warning: {self._url} is not https: the password can be read on its way", 0)
        secret = base64.b64encode(f"{credentials.user}:{credentials.password}".encode()).decode()
        # with every request, for a proxy in front of Buildbot that wants it
        self._headers["Authorization"] = f"Basic {secret}"
        response, _ = self._read("GET", "auth/login", None)
        if response.status == _UNAUTHORIZED:
            raise MasterError(
                f"{self._host} does not know the user {credentials.user}, or not with this password"
            )
        cookies = SimpleCookie()
        for header in response.headers.get_all("Set-Cookie", ()):
            cookies.load(header)
        user = _user_of(cookies, credentials.user)
        if response.status in _NO_LOGIN or user is None:
            complain(f"warning: {self._host} has no login with a password; going on without one", 0)
        self._headers["Cookie"] = "; ".join(f"{each.key}={each.coded_value}" for each in cookies.values())
        self._introduced, self._user = True, user
        return True

    def _bear(self, bearer: Bearer) -> None:
        """Send this with every request from now on."""
        if not self._https and not _is_loopback(self._host):
            if bearer.isOperator:
                raise MasterError(
                    f"{self._url} is not https and not this machine: what is in the master's directory is not sent there. "
                    "Log in with PRESENCE_USER and PRESENCE_PASSWORD, or with PRESENCE_TOKEN"
                )
            complain(f"warning: {self._url} is not https: the token can be read on its way", 0)
        self._headers["Authorization"] = f"Bearer {bearer.secret}"
        self._introduced = True

    def _read(self, method: str, path: str, body: Any) -> tuple[HTTPResponse, bytes]:
        def again() -> None:
            complain(f"{self._url} has not answered to the end; it is asked again", 0)

        try:
            return self._http.read(method, path, body, self._headers, again=again)
        except ConnectionFailed as problem:
            raise NoAnswerError(f"{self._url} does not answer: {problem}") from None

    def _send(self, method: str, path: str, body: Any, patience: float | None = PATIENCE) -> HTTPResponse:
        try:
            return self._http.send(method, path, body, self._headers, patience=patience)
        except ConnectionFailed as problem:
            raise NoAnswerError(f"{self._url} does not answer: {problem}") from None


def _parts(url: str) -> tuple[bool, str, str, str]:
    """Whether `url` is of HTTPS, its host, its host with the port, and the path under which all others are."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as problem:
        raise MasterError(f"{url!r} is not a URL: {problem}") from None
    if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment:
        raise MasterError(f"{url!r} is not the URL of a Buildbot: write http://HOST:PORT/ or https://HOST/")
    if parts.username is not None or parts.password is not None:
        raise MasterError(
            "there is a user in the URL, which others can read: set PRESENCE_USER and PRESENCE_PASSWORD, or "
            "write them to a file for --netrc"
        )
    address = f"[{host}]" if ":" in host else host
    if port is not None:
        address = f"{address}:{port}"
    return parts.scheme == "https", host, address, f"{parts.path.rstrip('/')}/"


def _user_of(cookies: SimpleCookie, user: str) -> str | None:
    """Whom the master takes for logged in, who has said that he is `user`; None for nobody.

    Buildbot gives a session to everybody: its cookie, a JSON Web Token, says who it is. (It is read for people only.)
    """
    for each in cookies.values():
        payload = each.value.partition(".")[2].partition(".")[0]
        try:
            info = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["user_info"]
            return None if info.get("anonymous") else str(info.get("email") or info.get("username") or user)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
    return user if cookies else None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
