"""Latent workers and their builders, after a reconfig.

Buildbot tells a latent worker neither that a builder is removed, nor that it is taken from one. When there is a builder of
that name again the worker believes that it belongs to it, and never builds for it (Buildbot's #9135).
"""

from __future__ import annotations

from typing import Any


def rejoin(worker: Any) -> None:
    """Let a latent `worker` (of Buildbot's) belong to all builders that it is configured for.

    It leaves one that is gone when its build for that has ended: two builds of one name would share a directory.
    """
    if worker.botmaster is None:
        return
    for wfb in tuple(worker.workerforbuilders.values()):
        if hasLost(wfb) and not wfb.isBusy():
            wfb.detached()
    for builder in worker.botmaster.getBuildersForWorker(worker.workername):
        if builder.name not in worker.workerforbuilders:
            builder.addLatentWorker(worker)
            if worker.conn is not None:
                # as it does when it connects
                worker.attachBuilder(builder)


def hasLost(wfb: Any) -> bool:
    """Whether the builder of `wfb` (a `WorkerForBuilder`) is gone, or does without it."""
    builder = wfb.builder
    return builder.botmaster is None or wfb not in builder.workers


def isStranded(worker: Any, builder: str) -> bool:
    """Whether a latent `worker` cannot build for the builder of this name, for it still builds for one that is gone."""
    wfb = worker.workerforbuilders.get(builder)
    return wfb is not None and hasLost(wfb)
