"""How messages travel from the master's side: PB, msgpack, and the null protocol of a `LocalWorker`.

Each transport is opened on one connection, in `attached()`, and lives as long as that. It wraps methods of that
one connection, and they go on doing what they did with everything that is not about presence. What has arrived is
given to `receive(name, content)`, which never fails and returns the answer.

A hostile worker can send anything. Nothing of it is logged here, and nothing is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgpack
from buildbot.worker.protocols import msgpack as msgpack_protocol
from buildbot.worker.protocols import null as null_protocol
from buildbot.worker.protocols import pb as pb_protocol
from twisted.internet.defer import maybeDeferred

from presence.wire.names import PRESENCE, PRESENCE_STOP, PRESENCE_VIEW

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.defer import Deferred

    Receive = Callable[[str, object], dict[str, Any]]
    Send = Callable[[dict[str, Any]], Deferred[Any]]

#: The messages that a worker may send.
INCOMING = (PRESENCE, PRESENCE_STOP)

#: The longest message that is read, in bytes (over msgpack; PB has its own limit, for each string and list).
MAX_SIZE = 64 * 1024


#: Stands for a content that could not even be unpacked. It is not a message, and is refused as such.
UNREADABLE = "something that cannot be unpacked"

# how long the names of the fields of a msgpack message may be, and the names of its operations
_MAX_SCALAR = 64


def openTransport(conn: Any, receive: Receive) -> Send | None:
    """Receive from the worker at the other end of `conn`, which has just connected.

    Returns a callable that sends it a view (a dictionary) and returns a Deferred of its answer; None where the
    protocol is not known.
    """
    for kind, open_ in (
        (pb_protocol.Connection, _open_pb),
        (msgpack_protocol.Connection, _open_msgpack),
        (null_protocol.Connection, _open_null),
    ):
        if isinstance(conn, kind):
            return open_(conn, receive)
    return None


def _open_pb(conn: Any, receive: Receive) -> Send:
    stock = conn.perspectiveMessageReceived

    def perspectiveMessageReceived(broker: Any, message: str, args: Any, kw: Any) -> Any:
        if message not in INCOMING:
            return stock(broker, message, args, kw)
        conn.worker.messageReceivedFromWorker()
        try:
            contents = broker.unserialize(args, conn)
            keywords = broker.unserialize(kw, conn)
        except Exception:  # noqa: BLE001
            # whatever it was: too deep, of a forbidden class, not UTF-8; PB would log a traceback for each
            contents, keywords = [UNREADABLE], {}
        if len(contents) != 1 or keywords:
            contents = [UNREADABLE]
        return broker.serialize(receive(message, contents[0]), conn)

    conn.perspectiveMessageReceived = perspectiveMessageReceived

    def send(view: dict[str, Any]) -> Deferred[Any]:
        return maybeDeferred(conn.mind.callRemote, PRESENCE_VIEW, view)

    return send


def _open_msgpack(conn: Any, receive: Receive) -> Send:
    protocol = conn.protocol
    stock = protocol.onMessage

    def onMessage(payload: bytes, isBinary: bool) -> None:
        if not (isBinary and PRESENCE.encode() in payload):
            # Buildbot's own messages may be large: they are not looked into
            stock(payload, isBinary)
            return
        try:
            op = _field(payload, "op")
        except Exception:  # noqa: BLE001
            return  # no message at all, and none that could be answered; the stock protocol fails with a traceback
        if op not in INCOMING:
            stock(payload, isBinary)
            return
        conn.worker.messageReceivedFromWorker()
        sequence, content = _unpacked(payload)
        answer = receive(op, content)
        if isinstance(sequence, int):  # else it is none that could be answered
            response = {"op": "response", "seq_number": sequence, "result": answer}
            # not by send_response_msg, which writes each message into the log
            protocol.sendMessage(msgpack.packb(response, use_bin_type=True), isBinary=True)

    protocol.onMessage = onMessage

    def send(view: dict[str, Any]) -> Deferred[Any]:
        return maybeDeferred(protocol.get_message_result, {"op": PRESENCE_VIEW, "args": view})

    return send


def _unpacked(payload: bytes) -> tuple[Any, Any]:
    """The sequence number (None if there is none) and the content of a message of ours."""
    sequence = None
    try:
        sequence = _field(payload, "seq_number")
        if len(payload) > MAX_SIZE:
            return sequence, UNREADABLE
        # keys of any kind: what is unknown is ignored
        return sequence, msgpack.unpackb(payload, raw=False, strict_map_key=False).get("args")
    except Exception:  # noqa: BLE001 (not UTF-8, too deep, …)
        return sequence, UNREADABLE


def _field(payload: bytes, name: str) -> Any:
    """The scalar in the field `name` of a packed dictionary; None if there is none. Makes nothing else.

    Fails, in one way or another, when it is not such a dictionary.
    """
    unpacker = msgpack.Unpacker(
        raw=False,
        max_buffer_size=len(payload),
        max_array_len=0,
        max_map_len=0,
        max_str_len=_MAX_SCALAR,
    )
    unpacker.feed(payload)
    for _ in range(unpacker.read_map_header()):
        if unpacker.unpack() == name:
            return unpacker.unpack()
        unpacker.skip()
    return None


def _open_null(conn: Any, receive: Receive) -> Send:
    conn.presenceMessageReceived = receive

    def send(view: dict[str, Any]) -> Deferred[Any]:
        return maybeDeferred(conn.worker.bot.remote_presence_view, view)

    return send
