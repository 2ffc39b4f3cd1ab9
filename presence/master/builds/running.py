"""The builds that run, and which of them wait for which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.defer import Deferred


def allBuilds(master: Any) -> Iterator[Any]:
    """The builds (Buildbot's) that run, or that Buildbot has forgotten to remove, in no order."""
    for builder in tuple(master.botmaster.builders.values()):
        yield from tuple(builder.building)


def buildsOn(worker: Any) -> Iterator[Any]:
    """The builds (of Buildbot) that run on this worker, or are being prepared for it."""
    for wfb in tuple(worker.workerforbuilders.values()):
        for build in tuple(wfb.builder.building):
            if build.workerforbuilder is wfb and not build.finished:
                yield build


def workerOf(build: Any) -> str:
    """The name of the worker of a build, also when it has lost that."""
    return str(build.workername)


def isLost(build: Any) -> bool:
    """Whether nothing can come of this build any more. Buildbot forgets to remove some of them."""
    wfb = build.workerforbuilder
    return bool(build.finished or (wfb is not None and wfb.worker is None))


def newestBuild(master: Any) -> Deferred[int]:
    """The largest id of a build so far, 0 when there is none."""
    builds = master.db.model.builds
    return master.db.pool.do(
        lambda connection: connection.execute(sa.select(sa.func.max(builds.c.id))).scalar() or 0
    )


def waitingFor(master: Any, buildset: int) -> Deferred[list[int]]:
    """The ids of the builds that run and wait for `buildset` (an id), the nearest first: its parent and so on."""
    model = master.db.model
    sets, builds, requests = model.buildsets, model.builds, model.buildrequests
    parent = (
        sa.select(builds.c.id, builds.c.complete_at, requests.c.buildsetid, requests.c.waited_for)
        .select_from(sets.join(builds, builds.c.id == sets.c.parent_buildid))
        .join(requests, requests.c.id == builds.c.buildrequestid)
        .where(sets.c.id == sa.bindparam("buildset"))
    )

    def thd(connection: Any) -> list[int]:
        found: list[int] = []
        child, waits = buildset, True
        while waits:
            row = connection.execute(parent, {"buildset": child}).fetchone()
            if row is None or row.complete_at is not None:
                break
            found.append(row.id)
            child, waits = row.buildsetid, row.waited_for
        return found

    return master.db.pool.do(thd)
