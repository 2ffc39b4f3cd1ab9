"""Pending build requests: how many unclaimed ones each builder has, and which. Each question is one SQL statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

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


def unclaimedRequests(master: Any) -> Deferred[dict[int, int]]:
    """How many unclaimed requests each builder has, by its id; those that have none are missing.

    Buildbot's own way to ask (`getBuildRequests(claimed=False)`) fetches every request, with five joins.
    """
    requests, claims = master.db.model.buildrequests, master.db.model.buildrequest_claims
    query = (
        sa.select(requests.c.builderid, sa.func.count())
        .select_from(requests.outerjoin(claims, requests.c.id == claims.c.brid))
        .where(*_areUnclaimed(requests, claims))
        .group_by(requests.c.builderid)
    )

    def thd(connection: Any) -> dict[int, int]:
        return {row[0]: row[1] for row in connection.execute(query)}

    return master.db.pool.do(thd)


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
            *_areUnclaimed(others, taken),
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
    query = query.where(*_areUnclaimed(requests, claims))
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


def _areUnclaimed(requests: Any, claims: Any) -> tuple[Any, Any]:
    """The conditions, of requests that are joined with their claims."""
    return claims.c.brid.is_(None), requests.c.complete == 0


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
