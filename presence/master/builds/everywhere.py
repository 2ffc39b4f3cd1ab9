"""The builds that run, on this master or on any of the farm: for who asks about them by API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from twisted.internet.defer import inlineCallbacks

from presence.master.builds.running import allBuilds, workerOf

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from twisted.internet.defer import Deferred


@dataclass(frozen=True, slots=True)
class RunningBuild:
    """A build that runs, on whichever master, by what it is called; `workerid` is None where it has lost its worker."""

    id: int
    number: int
    builderid: int
    builder: str
    workerid: int | None
    worker: str
    masterid: int


def buildsHere(master: Any) -> list[RunningBuild]:
    """The builds of this master that run, and are in the database."""
    found = []
    for build in allBuilds(master):
        if build.buildid is None or build.finished:
            continue
        wfb = build.workerforbuilder
        worker = None if wfb is None else wfb.worker
        found.append(
            RunningBuild(
                build.buildid,
                build.number,
                build.builder._builderid,
                build.builder.name,
                None if worker is None else worker.workerid,
                workerOf(build),
                master.masterid,
            )
        )
    return found


@inlineCallbacks
def buildsEverywhere(
    master: Any, isGone: Callable[[int], bool]
) -> Generator[Deferred[Any], Any, list[RunningBuild]]:
    """The builds that run on any master of the farm that lives, in a Deferred: one SQL statement, over indexes."""
    model = master.db.model
    requests, builds, builders, workers = model.buildrequests, model.builds, model.builders, model.workers
    columns = (
        builds.c.id,
        builds.c.number,
        builds.c.builderid,
        builders.c.name.label("builder"),
        builds.c.workerid,
        workers.c.name.label("worker"),
        builds.c.masterid,
    )
    query = (
        sa.select(*columns)
        .select_from(requests.join(builds, builds.c.buildrequestid == requests.c.id))
        .join(builders, builders.c.id == builds.c.builderid)
        .outerjoin(workers, workers.c.id == builds.c.workerid)
        # (first, for that is what there is an index for)
        .where(requests.c.complete == 0, builds.c.complete_at.is_(None))
    )
    rows = yield master.db.pool.do(lambda connection: connection.execute(query).fetchall())
    here = {each.id: each for each in buildsHere(master)}
    found = [
        RunningBuild(
            row.id, row.number, row.builderid, row.builder, row.workerid, row.worker or "", row.masterid
        )
        for row in rows
        if row.masterid != master.masterid and not isGone(row.masterid)
    ]
    return [*here.values(), *found]
