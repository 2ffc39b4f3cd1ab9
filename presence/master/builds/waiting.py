"""Pending build requests: how many unclaimed ones each builder has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred


def unclaimedRequests(master: Any) -> Deferred[dict[int, int]]:
    """How many unclaimed requests each builder has, by its id: one SQL statement; those that have none are missing.

    Buildbot's own way to ask (`getBuildRequests(claimed=False)`) fetches every request, with five joins.
    """
    requests, claims = master.db.model.buildrequests, master.db.model.buildrequest_claims
    query = (
        sa.select(requests.c.builderid, sa.func.count())
        .select_from(requests.outerjoin(claims, requests.c.id == claims.c.brid))
        .where(claims.c.brid.is_(None), requests.c.complete == 0)
        .group_by(requests.c.builderid)
    )

    def thd(connection: Any) -> dict[int, int]:
        return {row[0]: row[1] for row in connection.execute(query)}

    return master.db.pool.do(thd)
