"""Buildbot's message queue: whether it is one master's own."""

from __future__ import annotations

from typing import Any

from buildbot.mq.simple import SimpleMQ


def ownQueue(mq: Any) -> Any | None:
    """The queue behind `mq` where that is one master's own, whose listeners are known; else None."""
    # what a master has as `mq` is a connector, which stands for the queue that is configured
    queue = getattr(mq, "impl", mq)
    return queue if isinstance(queue, SimpleMQ) else None


def isShared(master: Any) -> bool:
    """Whether this is one of several masters that hear of each other: they have a message queue that is not one master's own."""
    return bool(master.config.multiMaster) and ownQueue(master.mq) is None
