"""Who may use the local server: whoever can read the token, and a browser page that such a one has let in.

Each request carries its secret in the header Authorization. A cookie would be sent by the browser also with what
other pages ask for, and to whatever another user of the machine serves on another port of 127.0.0.1.
"""

from __future__ import annotations

import secrets
from base64 import b32encode
from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from presence.wire.secrets import digestOf, isSame

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from presence.worker.local.sessions import Sessions

#: How long a ticket may be used, in seconds.
TICKET_LIFE = 60.0

#: How many pages may be let in at a time; one more, and the first is let out.
MAX_SESSIONS = 32

_BYTES = 32

# 80 bits, 16 characters that can be typed, in groups of four
_TICKET_BYTES = 10
_GROUP = 4

_UNAUTHORIZED, _FORBIDDEN = 401, 403


class AccessError(Exception):
    """The request gets nothing. `code` is the HTTP status; the text says why, and what would be right."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Access:
    """The secrets of one run of the worker, and the checks. `ticketGone()` is called when there is no ticket
    any more: it was used, or its time is over. `kept` are the sessions that outlast this run, if any do.

    There is one ticket at a time: a new one takes the place of the one before.
    """

    def __init__(
        self, clock: IReactorTime, ticketGone: Callable[[], object], kept: Sessions | None = None
    ) -> None:
        self._clock = clock
        self._ticket_gone = ticketGone
        self._ticket: str | None = None
        self._ticket_timer: IDelayedCall | None = None
        self._kept = kept
        # what is kept of each: `secrets.digestOf`
        self._sessions: list[str] = [] if kept is None else kept.load()
        self._open = True
        self.token = secrets.token_hex(_BYTES)

    # --- checks

    def checkAddressed(self, request: Any, port: int, *, nullOrigin: bool = False) -> None:
        """Refuse what was sent to another name (DNS rebinding), or by a page of another origin."""
        hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
        host = _only(request, "host")
        if host not in hosts:
            raise AccessError(_FORBIDDEN, f"this server is http://{hosts[0]}/, and answers to no other name")
        origin = _only(request, "origin")
        if origin is not None and origin != f"http://{host}" and not (nullOrigin and origin == "null"):
            raise AccessError(_FORBIDDEN, "requests of other pages are not answered")

    def checkAllowed(self, request: Any) -> None:
        """Refuse the request unless it has the token, or the secret of a session."""
        given = _bearer(request)
        # all are compared, so that the time says nothing
        session = digestOf(given)
        known = [_same(given, self.token), *(isSame(session, each) for each in self._sessions)]
        if not any(known) or not self._open:
            raise AccessError(
                _UNAUTHORIZED,
                "this needs the token of presence-local.json, as `Authorization: Bearer TOKEN`; `presence open` "
                "opens the page",
            )

    def checkToken(self, request: Any) -> None:
        """Refuse the request unless it has the token."""
        if not _same(_bearer(request), self.token):
            raise AccessError(
                _UNAUTHORIZED, "this needs the token of presence-local.json, as `Authorization: Bearer TOKEN`"
            )

    # --- the way in for a page

    def makeTicket(self) -> str:
        """A secret that opens one session within a minute."""
        self._end_timer()
        characters = b32encode(secrets.token_bytes(_TICKET_BYTES)).decode().lower()
        groups = [characters[at : at + _GROUP] for at in range(0, len(characters), _GROUP)]
        self._ticket = "-".join(groups)
        self._ticket_timer = self._clock.callLater(TICKET_LIFE, self._drop_ticket)
        return self._ticket

    def enter(self, ticket: str) -> str:
        """The secret of a new session, for this ticket."""
        if self._ticket is None or not _same(ticket.strip().lower(), self._ticket):
            raise AccessError(
                _FORBIDDEN,
                "this is not the code, or it has been used, or it is older than a minute: run `presence open` again",
            )
        self._drop_ticket()
        session = secrets.token_hex(_BYTES)
        self._sessions = [*self._sessions, digestOf(session)][-MAX_SESSIONS:]
        if self._kept is not None:
            self._kept.save(self._sessions)
        return session

    def clockJumped(self) -> None:
        """The clock has been set: how old the ticket is cannot be said, so it is good no longer."""
        self._drop_ticket()

    def close(self) -> None:
        """Let nobody in any more, and leave no timer."""
        self._open = False
        self._drop_ticket()

    def _drop_ticket(self) -> None:
        self._end_timer()
        self._ticket = None
        self._ticket_gone()

    def _end_timer(self) -> None:
        timer, self._ticket_timer = self._ticket_timer, None
        if timer is not None and timer.active():
            timer.cancel()


def _bearer(request: Any) -> str:
    """The secret that the request carries; "" for none."""
    scheme, _, secret = (_only(request, "authorization") or "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _only(request: Any, name: str) -> str | None:
    # as bytes: what is not UTF-8 is not a mistake of ours
    values = request.requestHeaders.getRawHeaders(name.encode(), [])
    if len(values) > 1:
        raise AccessError(_FORBIDDEN, f"the header {name} is there {len(values)} times")
    return values[0].decode("latin-1") if values else None


def _same(one: str, other: str) -> bool:
    return compare_digest(one.encode("utf-8", "replace"), other.encode())
