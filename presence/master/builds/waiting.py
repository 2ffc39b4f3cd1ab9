"""Pending build requests: how many unclaimed ones each builder has, in one SQL statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred


def unclaimedRequests(master: Any) -> Deferred[dict[int, int]]:
    """How many unclaimed requests each builder has, by its id; those that have none are missing.

    Buildbot's own way to ask (`getBuildRequests(claimed=False)`) fetches every request, with five joins.
    """
    requests, claims = master.db.model.buildrequests, master.db.model.buildrequest_claims
    query = (
        sa.select(requests.c.builderid, sa.func.count())
        .select_from(requests.outerjoin(claims, requests.c.id == claims.c.brid))
        .where(*areUnclaimed(requests, claims))
        .group_by(requests.c.builderid)
    )

    def thd(connection: Any) -> dict[int, int]:
        return {row[0]: row[1] for row in connection.execute(query)}

    return master.db.pool.do(thd)


def areUnclaimed(requests: Any, claims: Any) -> tuple[Any, Any]:
    """The conditions, of requests that are joined with their claims."""
    return claims.c.brid.is_(None), requests.c.complete == 0
