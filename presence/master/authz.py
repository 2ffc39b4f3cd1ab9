"""Who may hold and release which workers, in the terms of Buildbot's authorization: a matcher and a role.

    util.Authz(
        allowRules=[
            util.PresenceEndpointMatcher(role="owner", actions=["hold", "release"], defaultDeny=False),
            util.AnyControlEndpointMatcher(role="admins"),
        ],
        roleMatchers=[
            util.RolesFromWorkerOwner(role="owner"),
            util.RolesFromUsername(roles=["admins"], usernames=["ann"]),
        ],
    )

Buildbot allows what no rule matches: so the last rule is one for every action, as above.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from buildbot import config
from buildbot.data.exceptions import InvalidPathError
from buildbot.www.authz.endpointmatchers import EndpointMatcherBase, Match
from buildbot.www.authz.roles import RolesFromOwner
from twisted.internet.defer import succeed
from twisted.logger import Logger

from presence.master.api.presences import BuilderPresenceEndpoint, PresenceEndpoint
from presence.master.api.reconfig import ReconfigEndpoint
from presence.orders import reconfig as reconfigorders
from presence.orders.workers import ACTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from twisted.internet.defer import Deferred

_log = Logger()

# An address in info/admin, which is a line like "Ann <ann@example.org>".
_ADDRESS = re.compile(r"[^\s<>(),;:]+@[^\s<>(),;:]+")

# How Buildbot calls reading, which is not an action: the web server by the method of HTTP, its websocket by "get".
_READING = frozenset({"get", "GET", "HEAD"})


class WorkerOwners(frozenset[str]):
    """The owners of a worker: e-mail addresses, and names of users.

    `worker` is its name (or None), and `admin` are the addresses that the worker itself tells, in its file info/admin.
    """

    worker: str | None = None
    admin: tuple[str, ...] = ()

    def have(self, user: dict[str, Any]) -> bool:
        """Whether `user`, as Buildbot's authentication describes him, is one of them.

        What has an @ is an address, and compared with the address only: somebody who may choose a user name
        for himself does not become an owner by it.
        """
        return _is_one_of(user, self)


class RolesFromWorkerOwner(RolesFromOwner):
    """Gives `role` to whom `owners=` or `notify_on_missing=` of the worker names which a request is about.

    With `fromInfo=True` also to whom the worker itself names, by the addresses in its file info/admin: then whoever has the
    worker's password says who its owner is. `find` is a function of the site's that gives more owners, by the name of a worker.

    It does so for requests that a `PresenceEndpointMatcher` matches: no other says which worker it is about.
    """

    def __init__(
        self,
        role: str = "owner",
        fromInfo: bool = False,
        find: Callable[[str], Iterable[str]] | None = None,
    ) -> None:
        super().__init__(role)
        if find is not None and not callable(find):
            config.error(
                f"RolesFromWorkerOwner: find={find!r} is not right: give a function that is called with the name of a worker, "
                "and returns e-mail addresses or names of users"
            )
            find = None
        self.fromInfo = fromInfo
        self.find = find

    def getRolesFromUser(self, userDetails: dict[str, Any], owner: Any = None) -> list[str]:
        """The role, if this user is one of the `WorkerOwners` that the matcher has found."""
        if not isinstance(owner, WorkerOwners):
            return []
        if owner.have(userDetails) or (self.fromInfo and _is_one_of(userDetails, owner.admin)):
            return [self.role]
        return [self.role] if self._is_found(userDetails, owner.worker) else []

    def _is_found(self, user: dict[str, Any], worker: str | None) -> bool:
        if self.find is None or worker is None:
            return False
        try:
            found = self.find(worker)
            return _is_one_of(user, (found,) if isinstance(found, str) else tuple(found or ()))
        except Exception:  # noqa: BLE001 (it is the site's; whoever is not found has no role)
            _log.failure("while asking the site who owns {worker}", worker=worker)
            return False


def _is_one_of(user: dict[str, Any], owners: Iterable[str]) -> bool:
    return any(user.get("email" if "@" in owner else "username") == owner for owner in owners)


class PresenceMatch(Match):
    """A request about a worker, whose owners Buildbot asks for."""

    def __init__(self, master: Any, owners: WorkerOwners) -> None:
        super().__init__(master)
        self._owners = owners

    def getOwner(self) -> Deferred[WorkerOwners]:
        """The owners: what `RolesFromWorkerOwner` is asked about, and Buildbot's other roles know nothing of."""
        return succeed(self._owners)


class PresenceEndpointMatcher(EndpointMatcherBase):
    """Matches what is ordered of the presence of a worker, and never its reading: Buildbot's events are public. Without `worker` it
    matches what is ordered of a builder, too, which has no owners.

    `role`: who has it, may. `worker`: the worker's name, or a pattern in the way of the other matchers, or a
    list of those; None is every worker. `actions`: one of hold, drain, release, work, push and withdraw, or a list of those; None is
    every action, known or not. With `defaultDeny=False` the rules that follow decide about those who do not
    have the role.
    """

    def __init__(
        self,
        role: str,
        worker: str | Iterable[str] | None = None,
        actions: str | Iterable[str] | None = None,
        defaultDeny: bool = True,
    ) -> None:
        super().__init__(role=role, defaultDeny=defaultDeny)
        self.worker = _listed("worker", worker)
        self.actions = _listed("actions", actions)
        for action in self.actions or ():
            if action not in ACTIONS:
                config.error(
                    f"PresenceEndpointMatcher: there is no action {action!r}: there are {', '.join(ACTIONS)}"
                )

    def match(
        self, ep: Any, action: str = "get", options: dict[str, Any] | None = None
    ) -> Deferred[PresenceMatch | None]:
        """Whether this rule is about a request, in a Deferred: a match, or None."""
        del options
        return succeed(self._match(ep, action))

    def _match(self, ep: Any, action: str) -> PresenceMatch | None:
        if action in _READING or (self.actions is not None and action not in self.actions):
            return None
        try:
            endpoint, arguments = self.master.data.getEndpoint(ep)
        except InvalidPathError:
            return None
        if isinstance(endpoint, BuilderPresenceEndpoint) and self.worker is None:
            # it has no owners
            return PresenceMatch(self.master, WorkerOwners())
        if not isinstance(endpoint, PresenceEndpoint):
            return None
        name = endpoint.workerName(arguments)
        if self.worker is not None and not any(self.authz.match(name or "", each) for each in self.worker):
            return None
        return PresenceMatch(self.master, ownersOf(self.master.workers.workers.get(name)))


class ReconfigEndpointMatcher(EndpointMatcherBase):
    """Matches what is ordered of the reconfiguration of the master, and never its reading.

    `role`: who has it, may. `actions`: one of reconfig, plan and cancel, or a list of those; None is every action.
    (Even a plan runs `master.cfg`.) With `defaultDeny=False` the rules that follow decide about those who do not have
    the role.
    """

    def __init__(
        self, role: str, actions: str | Iterable[str] | None = None, defaultDeny: bool = True
    ) -> None:
        super().__init__(role=role, defaultDeny=defaultDeny)
        self.actions = _listed("actions", actions, type(self).__name__)
        for action in self.actions or ():
            if action not in reconfigorders.ACTIONS:
                config.error(
                    f"ReconfigEndpointMatcher: there is no action {action!r}: there are "
                    f"{', '.join(reconfigorders.ACTIONS)}"
                )

    def match(
        self, ep: Any, action: str = "get", options: dict[str, Any] | None = None
    ) -> Deferred[Match | None]:
        """Whether this rule is about a request, in a Deferred: a match, or None."""
        del options
        return succeed(Match(self.master) if self._matches(ep, action) else None)

    def _matches(self, ep: Any, action: str) -> bool:
        if action in _READING or (self.actions is not None and action not in self.actions):
            return False
        try:
            endpoint, _ = self.master.data.getEndpoint(ep)
        except InvalidPathError:
            return False
        return isinstance(endpoint, ReconfigEndpoint)


def ownersOf(worker: Any) -> WorkerOwners:
    """The owners of a worker of `master.cfg`; nobody for None."""
    if worker is None:
        return WorkerOwners()
    owners = WorkerOwners((*getattr(worker, "owners", ()), *worker.notify_on_missing))
    owners.worker = worker.workername
    admin = worker.info.getProperty("admin")
    owners.admin = tuple(_ADDRESS.findall(admin)) if isinstance(admin, str) else ()
    return owners


def _listed(keyword: str, value: Any, matcher: str = "PresenceEndpointMatcher") -> tuple[str, ...] | None:
    if value is None:
        return None
    listed = (value,) if isinstance(value, str) else value
    if isinstance(listed, (list, tuple, set, frozenset)) and all(isinstance(each, str) for each in listed):
        return tuple(listed)
    config.error(f"{matcher}: {keyword}={value!r} is not right: give a string, or a list of them")
    return ()
