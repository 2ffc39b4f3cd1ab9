"""`Authorization: Bearer` for what this plugin adds to Buildbot's API, and for nothing else of Buildbot's.

Buildbot's own authorization decides, as about somebody who has logged in; it is only told who it is.
"""

from __future__ import annotations

from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from buildbot.data.exceptions import InvalidPathError
from buildbot.www.authz import Forbidden
from twisted.internet.defer import inlineCallbacks, maybeDeferred
from twisted.logger import Logger

from presence.lazy import later
from presence.wire.secrets import LONGEST, OPERATOR, bearer, digestOf

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from presence.master.access.operator import Operator
    from presence.master.access.who import BearerError, Who
    from presence.master.happenings.happening import Listener
    from presence.wire.tokens import TokensReader

_log = Logger()

# How Buildbot calls reading.
_READING = frozenset({"GET", "HEAD"})

# How often it is logged that something was refused, in seconds: anybody can send something.
_INTERVAL = 60.0

_HOOKS = ("assertUserAllowed", "getUserInfos")
# The attribute of a request that says who has sent it.
_WHO = "_presence_who"


class Bearers:
    """Hooks into the web service of `master` from `start()` to `stop()`. `operator` is who may be the operator.

    The `listeners` hear of orders that are forbidden.
    """

    def __init__(self, master: Any, listeners: Sequence[Listener] = ()) -> None:
        self._master = master
        self._listeners = listeners
        self.operator = _operator(master.basedir)
        # made for the first token that is sent
        self._tokens: TokensReader | None = None
        self._before: dict[str, Any] = {}
        self._logged = float("-inf")
        self._unlogged = 0

    def start(self) -> None:
        """Begin."""
        www: Any = getattr(self._master, "www", None)
        if not all(hasattr(www, each) for each in _HOOKS):
            return
        self._before = {name: getattr(www, name) for name in _HOOKS}
        # on the instance: what the class says comes to light again in the end
        www.assertUserAllowed = self._assert_allowed
        www.getUserInfos = self._user_infos

    def stop(self) -> None:
        """End; nobody is the operator any more."""
        self.operator.forbid()
        www = getattr(self._master, "www", None)
        for name, before in self._before.items():
            if getattr(before, "__self__", None) is www:
                vars(www).pop(name, None)
            else:
                setattr(www, name, before)  # another one's hook
        self._before = {}

    # --- what Buildbot's web server asks

    def _user_infos(self, request: Any) -> Any:
        who: Who | None = getattr(request, _WHO, None)
        # what is made of it is the name in the order
        return self._before["getUserInfos"](request) if who is None else {"username": who.by}

    def _assert_allowed(self, request: Any, ep: Any, action: str, options: Any) -> Any:
        if not self._listeners or action in _READING:
            return self._assert(request, ep, action, options)
        asked = maybeDeferred(self._assert, request, ep, action, options)
        return asked.addErrback(self._forbidden, request, ep, action, options)

    def _forbidden(self, failure: Failure, request: Any, ep: Any, action: str, options: Any) -> Failure:
        """Tell who listens that an order is forbidden, if it is one."""
        from presence.master.happenings.orders import tellForbidden  # noqa: PLC0415 (nobody may listen)

        if isinstance(failure.value, Forbidden):
            tellForbidden(self._master, self._listeners, self._user_infos(request), (ep, action, options))
        return failure

    def _assert(self, request: Any, ep: Any, action: str, options: Any) -> Any:
        if action not in _READING:
            # nobody may order anything
            from presence.master.access.many import assertEach, isForMany  # noqa: PLC0415

            if isForMany(self._master, ep, action):
                return assertEach(
                    self._master,
                    ep,
                    options,
                    lambda path, alone: self._assert_one(request, path, action, alone),
                )
        return self._assert_one(request, ep, action, options)

    def _assert_one(self, request: Any, ep: Any, action: str, options: Any) -> Any:
        secret = bearer(request.getHeader(b"authorization"))
        resource = None if secret is None else self._resource(ep)
        if secret is None or resource is None:
            return self._before["assertUserAllowed"](request, ep, action, options)
        return self._assert_bearer(request, secret, resource, (ep, action, options))

    @inlineCallbacks
    def _assert_bearer(
        self, request: Any, secret: str, resource: str, asked: tuple[Any, str, Any]
    ) -> Generator[Deferred[Any], Any, None]:
        from presence.master.access.who import BearerError  # noqa: PLC0415 (nobody may ever send a bearer)

        try:
            who = self._who(secret)
            # (a POST that is called "get", which Buildbot's rules take for reading, has no word)
            if request.method not in {b"GET", b"HEAD"} or asked[1] not in _READING:
                _check(who, resource, asked[1])
        except BearerError as problem:
            self._refused(request, problem)
            raise Forbidden(str(problem).encode()) from None
        try:
            yield _with_roles(self._master.www.authz, who).assertUserAllowed(*asked, who.details)
        except Forbidden as problem:
            said = bytes(problem.message or b"").decode("utf-8", "replace")
            raise Forbidden(f"{said} (you are {who.by}{_how(who)})".encode()) from None
        setattr(request, _WHO, who)

    def _resource(self, ep: Any) -> str | None:
        """The name of the resource of ours that a path leads to; None for all others."""
        try:
            endpoint, _ = self._master.data.getEndpoint(ep)
        except InvalidPathError:
            return None
        return endpoint.rtype.name if type(endpoint).__module__.startswith("presence.") else None

    # --- who it is

    def _who(self, secret: str) -> Who:
        from presence.master.access.who import BearerError, Who  # noqa: PLC0415 (as above)

        if len(secret) > LONGEST:
            raise BearerError("this master does not know that token: it is too long for one")
        if secret.startswith(OPERATOR):
            return self.operator.identify(secret)
        # a master without tokens has not got it in memory
        from presence.wire.tokens import TokensError, TokensReader, find  # noqa: PLC0415

        if self._tokens is None:
            self._tokens = TokensReader(Path(self._master.basedir))
        try:
            token = find(self._tokens.read(), digestOf(secret))
        except TokensError as problem:
            raise BearerError("no token is taken now: the log of the master says why") from problem
        if token is None:
            raise BearerError("this master does not know that token: it was revoked, or is another master's")
        if token.isOver(self._master.reactor.seconds()):
            raise BearerError(
                f"the token {token.name} has expired: make a new one with `presence token make`"
            )
        details: dict[str, Any] = {
            "username": token.user,
            "full_name": token.user,
            "groups": list(token.groups),
        }
        email = token.email or (token.user if "@" in token.user else None)
        if email is not None:
            details["email"] = email
        return Who(f"{token.user} (token {token.name})", details, (), token.may)

    def _refused(self, request: Any, problem: BearerError) -> None:
        """Say it in the log, once in a while."""
        now = self._master.reactor.seconds()
        if 0 <= now - self._logged < _INTERVAL:
            self._unlogged += 1
            return
        _log.warn(
            "refused a bearer from {peer}: {problem} ({more} more since the last such line)",
            peer=getattr(request, "getClientAddress", lambda: None)(),
            problem=problem.__cause__ or problem,
            more=self._unlogged,
        )
        self._logged, self._unlogged = now, 0


def _operator(directory: str) -> Operator:
    """Who may be the operator: made when somebody may, or when somebody says that he is."""

    def make() -> Operator:
        from presence.master.access.operator import Operator  # noqa: PLC0415

        return Operator(directory)

    return later(make, {"forbid": lambda: None})


def _check(who: Who, resource: str, action: str) -> None:
    from presence.master.access.who import BearerError  # noqa: PLC0415 (as above)
    from presence.orders.abilities import ABILITIES  # noqa: PLC0415 (as above)

    if who.may is not None and ABILITIES.get((resource, action)) not in who.may:
        word = ABILITIES.get((resource, action), "that")
        raise BearerError(f"{who.by} may not {word}: the token is for {', '.join(who.may)}")


def _how(who: Who) -> str:
    if who.may is not None:
        return ""
    roles = f"the role{'s' if len(who.roles) > 1 else ''} {', '.join(who.roles)}" if who.roles else "no roles"
    return f', with {roles}: PresenceService(operator="ROLE") gives them'


def _with_roles(authz: Any, who: Who) -> Any:
    """The authorization of the site, for which `who` has the roles beside those that it gives."""
    if not who.roles:
        return authz
    # a copy for this one request: the site's own, and every other request, know nothing of it
    mine = copy(authz)
    mine.getRolesFromUser = lambda details: {*authz.getRolesFromUser(details), *who.roles}
    return mine
