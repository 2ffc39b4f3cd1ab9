"""Build requests one by one: the one with an id, and the pending ones in the order in which Buildbot takes them. Each question is one
SQL statement. A master that nobody asks has not got it in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from presence.master.builds.waiting import areUnclaimed

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred


@dataclass(frozen=True, slots=True)
class Request:
    """A request of Buildbot's.

    `submittedAt` is in seconds since the epoch, `ahead` counts the unclaimed ones of its builder that Buildbot takes first,
    and `awaited` says whether a build waits for it.
    """

    id: int
    builderid: int
    submittedAt: float
    awaited: bool
    claimed: bool = False
    complete: bool = False
    ahead: int = 0


def findRequest(master: Any, requestid: int) -> Deferred[Request | None]:
    """The request with this id, in a Deferred; None when there is none."""
    requests, claims, query = _query(master)
    others = requests.alias("others")
    taken = claims.alias("taken")
    ahead = (
        sa.select(sa.func.count())
        .select_from(others.outerjoin(taken, others.c.id == taken.c.brid))
        .where(
            others.c.builderid == requests.c.builderid,
            *areUnclaimed(others, taken),
            sa.or_(
                others.c.priority > requests.c.priority,
                sa.and_(others.c.priority == requests.c.priority, others.c.id < requests.c.id),
            ),
        )
        .scalar_subquery()
    )
    query = query.add_columns(ahead.label("ahead")).where(requests.c.id == requestid)

    def thd(connection: Any) -> Request | None:
        row = connection.execute(query).fetchone()
        if row is None:
            return None
        claimed, complete = row.brid is not None, bool(row.complete)
        return _request(row, 0 if claimed or complete else row.ahead, claimed=claimed, complete=complete)

    return master.db.pool.do(thd)


def findPending(master: Any, builderid: int | None = None) -> Deferred[list[Request]]:
    """All requests that are unclaimed and not complete, or those of one builder, in a Deferred: by their builder, and those
    first that Buildbot takes first.
    """
    requests, claims, query = _query(master)
    query = query.where(*areUnclaimed(requests, claims))
    if builderid is not None:
        query = query.where(requests.c.builderid == builderid)
    query = query.order_by(requests.c.builderid, requests.c.priority.desc(), requests.c.id)

    def thd(connection: Any) -> list[Request]:
        found: list[Request] = []
        ahead = 0
        for row in connection.execute(query):
            ahead = ahead + 1 if found and found[-1].builderid == row.builderid else 0
            found.append(_request(row, ahead))
        return found

    return master.db.pool.do(thd)


def _query(master: Any) -> tuple[Any, Any, Any]:
    requests, claims = master.db.model.buildrequests, master.db.model.buildrequest_claims
    columns = (
        requests.c.id,
        requests.c.builderid,
        requests.c.submitted_at,
        requests.c.waited_for,
        requests.c.complete,
        claims.c.brid,
    )
    return (
        requests,
        claims,
        sa.select(*columns).select_from(requests.outerjoin(claims, requests.c.id == claims.c.brid)),
    )


def _request(row: Any, ahead: int, *, claimed: bool = False, complete: bool = False) -> Request:
    return Request(row.id, row.builderid, row.submitted_at, bool(row.waited_for), claimed, complete, ahead)
