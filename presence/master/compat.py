"""What differs between the versions of Buildbot that presence runs on: 4.2 to the head of its repository.

Each difference is asked for by itself, not by the number of the version: a checkout of Buildbot calls itself what it likes.
What is said here of a version may be deleted when that one is supported no longer.
"""

from __future__ import annotations

import inspect
import re
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import buildbot
from buildbot.data import base, types
from buildbot.data.connector import DataConnector
from twisted.internet.defer import fail, maybeDeferred
from twisted.python import threadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IReactorFromThreads

#: The oldest version that presence runs on.
OLDEST = (4, 2)

# How much of an answer is written at once, in bytes.
_PIECE = 64 * 1024


def checkVersion(version: str) -> None:
    """Refuse a Buildbot that would lose builds: `ImportError`, which Buildbot shows as a mistake in `master.cfg`.

    Up to 4.1 the distributor of requests is followed in another way, and there is no way to let only those builds
    start that a running one waits for: every build would be lost, and nothing would say so.
    """
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers is not None and tuple(map(int, numbers.groups())) < OLDEST:
        raise ImportError(
            f"presence needs Buildbot {'.'.join(map(str, OLDEST))} or later, and this is Buildbot {version}: update "
            "Buildbot, or remove what is presence's from master.cfg (BuildSlave is then Worker again)"
        )


checkVersion(buildbot.version)


class Entity(types.Entity):
    """A type of the Data API: `Entity("presence")`.

    Up to 4.2 it wants a second name, for the GraphQL that 4.3 has no more.
    """

    if "graphql_name" in inspect.signature(types.Entity.__init__).parameters:

        def __init__(self, name: str) -> None:
            super().__init__(name, name.title().replace("_", ""))


# Up to 4.2 the patterns of paths are lines in a string, since 4.3 they are a list.
_PATTERNS_ARE_TEXT = isinstance(vars(base.ResourceType)["eventPathPatterns"], str)


def adaptPatterns(resource_types: Iterable[Any]) -> None:
    """See that the path patterns of these classes of resource types and of their endpoints, which are lists, are what
    Buildbot reads.
    """
    if not _PATTERNS_ARE_TEXT:
        return
    for resource_type in resource_types:
        _join(resource_type, "eventPathPatterns")
        for endpoint in resource_type.endpoints:
            _join(endpoint, "pathPatterns")


def _join(owner: Any, name: str) -> None:
    patterns = vars(owner).get(name)
    if isinstance(patterns, list):
        setattr(owner, name, "\n".join(patterns))


def isWaitedFor(request: Any) -> bool:
    """Whether a build waits for this `BuildRequest` of Buildbot's.

    Up to 4.3 it is called `waitedFor`, which warns since then.
    """
    if "waited_for" in vars(request):
        return bool(request.waited_for)
    return bool(request.waitedFor)


def changesDatabase(master: Any, config: Any) -> Deferred[bool]:
    """Whether the new configuration has another database than that with which the master has started.

    Up to 4.2 a database is no more than its URL.
    """
    if hasattr(master, "get_db_config"):
        ask, now = master.get_db_config, master.db.configured_db_config
    else:
        ask, now = master.get_db_url, master.db.configured_url
    return maybeDeferred(ask, config).addCallback(lambda wanted: bool(wanted != now))


def isWhole(master: Any) -> bool:
    """Whether `master` can be distributed to, asked and published on. Buildbot's fake one, which is also what other people's
    tests use, has no distributor of requests, and a Data API that knows Buildbot's own resources only.
    """
    return hasattr(master.botmaster, "brd") and isinstance(master.data, DataConnector)


def healAnswers(textOf: Callable[[Any, Any], str]) -> None:
    """Let the answers of the REST API be written by the thread of the reactor (Buildbot #9065). `textOf` makes the JSON, of an
    encoder and the answer.

    From 4.2.0 to 4.3.0 they are written by another one: some of those of 25 KB and more are cut off, and who asked waits
    for the rest. Later versions do what is done here.
    """
    from buildbot.www.rest import V2RootResource  # noqa: PLC0415 (it is needed where there is a web server)

    if isinstance(vars(V2RootResource).get("_write_json_data"), staticmethod):
        V2RootResource._write_json_data = staticmethod(partial(_write_json, textOf))


def healPatterns(matcher: Any) -> None:
    """Let the patterns of paths be sorted once, and not for each question to the Data API.

    Buildbot (up to the head of 2026) forgets that it has sorted them, and a build that starts asks 23 times. Whatever is added later
    is sorted with all others, as before.
    """
    matcher._compile()
    matcher._dirty = False


def healMessages() -> None:
    """Let a question to a msgpack worker fail whose connection is lost: Buildbot, up to 4.3, waits for its answer without end.

    It asks a worker, too, that has hung up while a reconfig kept it waiting, and has `initLock` meanwhile: no worker and no
    configuration would come in any more.
    """
    from buildbot.worker.protocols.manager.msgpack import (  # noqa: PLC0415 (it is needed where workers connect)
        BuildbotWebSocketServerProtocol,
        ConnectioLostError,
    )

    ask = BuildbotWebSocketServerProtocol.get_message_result
    if hasattr(ask, "fails"):
        return

    def get_message_result(self: Any, message: dict[str, Any]) -> Deferred[Any]:
        if self.is_closed.called:
            return fail(ConnectioLostError("Connection lost"))
        return cast("Deferred[Any]", ask(self, message))

    get_message_result.fails = True  # type: ignore[attr-defined]
    BuildbotWebSocketServerProtocol.get_message_result = get_message_result


def _write_json(textOf: Callable[[Any, Any], str], request: Any, encoder: Any, data: Any) -> None:
    """Buildbot calls this in a thread: the JSON may be long."""
    text = textOf(encoder, data).encode()

    def write() -> None:
        # (it has no channel when whoever asked has hung up)
        if request.finished or request.channel is None:
            return
        request.setHeader(b"content-length", str(len(text)).encode())
        if request.method != b"HEAD":
            for start in range(0, len(text), _PIECE):
                request.write(text[start : start + _PIECE])

    if threadable.ioThread in {None, threadable.getThreadID()}:  # type: ignore[no-untyped-call]
        write()
    else:
        from twisted.internet import reactor  # noqa: PLC0415 (the one that runs: it is Buildbot's here)

        # It comes before Buildbot hears that this function has returned, and ends the request. It is not waited for: a
        # reactor that stops waits for its threads.
        cast("IReactorFromThreads", reactor).callFromThread(write)
