"""How messages travel from the worker's side: PB, msgpack, and the null protocol of a `LocalWorker`.

The stock worker is not replaced. Methods are wrapped on the instances that `buildbot.tac` has made, and each
of them goes on doing what it did. A transport calls an `IListener`, and carries what is given to `send()`.

A stock master is never sent anything that it does not know: the master sends the first view, before it
calls the worker attached. One that sends none knows no presence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.defer import maybeDeferred

from presence.wire.names import PRESENCE, PRESENCE_VIEW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from twisted.internet.defer import Deferred


class Listener(Protocol):
    """What a transport tells of the connection to the master."""

    def greeting(self) -> dict[str, Any]:
        """The master has connected and asks who this is. What is to be said of its presence."""
        ...

    def viewArrived(self, message: Any) -> None:
        """The master has sent its view."""
        ...

    def attached(self) -> None:
        """The master has accepted the worker: from now on it may be sent messages."""
        ...

    def disconnected(self) -> None:
        """The connection has gone."""
        ...


class Transport(Protocol):
    """What carries messages, one for each kind of worker."""

    #: whether the process is the worker's own, so that it ends with it
    ownsProcess: bool

    def listen(self, listener: Listener) -> None:
        """Tell `listener`, from now on. Called once, before the worker connects."""
        ...

    def send(self, name: str, message: dict[str, Any]) -> Deferred[Any]:
        """Send it. A Deferred of the answer, which fails when the connection does."""
        ...

    def runningBuilders(self) -> list[str]:
        """The builders for which a command runs here now."""
        ...

    def runningCommands(self) -> list[Any]:
        """The commands (`RunProcess` of `buildbot_worker`) that run here now."""
        ...


def transportOf(worker: Any) -> Transport:
    """The transport for this stock worker (of `buildbot_worker.bot`). `ValueError` for anything else."""
    factory = getattr(worker, "bf", None)
    if hasattr(factory, "gotPerspective"):
        return PBTransport(worker)
    if hasattr(factory, "buildbot_bot"):
        return MsgpackTransport(worker)
    if factory is None and hasattr(getattr(worker, "bot", None), "remote_setBuilderList"):
        return NullTransport(worker)
    raise ValueError(
        f"{worker!r} is not a worker of Buildbot: PresenceClient(s) takes the Worker that buildbot.tac makes"
    )


def _greet(bot: Any, listener: Listener) -> None:
    """Let the worker info contain the presence."""
    stock = bot.remote_getWorkerInfo

    def remote_getWorkerInfo() -> dict[str, Any]:
        return {**stock(), PRESENCE: listener.greeting()}

    bot.remote_getWorkerInfo = remote_getWorkerInfo


def _busy_builders(bot: Any) -> list[str]:
    return [str(name) for name, builder in bot.builders.items() if builder.protocol_command is not None]


def _commands(protocolCommands: Iterable[Any]) -> list[Any]:
    running = [getattr(each.command, "command", None) for each in protocolCommands if each is not None]
    return [each for each in running if getattr(each, "process", None) is not None]


def _builders_commands(bot: Any) -> list[Any]:
    return _commands(builder.protocol_command for builder in bot.builders.values())


class PBTransport:
    """Over Perspective Broker: `perspective_…` of the master, `remote_…` of the bot."""

    ownsProcess = True

    def __init__(self, worker: Any) -> None:
        self._bot = worker.bot
        self._factory = worker.bf
        self._broker: Any = None
        self._perspective: Any = None

    def listen(self, listener: Listener) -> None:
        """See `Transport`."""
        factory = self._factory
        connection_made, got_perspective = factory.clientConnectionMade, factory.gotPerspective

        def lost(broker: Any) -> None:
            if broker is self._broker:
                self._broker = self._perspective = None
                listener.disconnected()

        def clientConnectionMade(broker: Any, *args: Any, **kwargs: Any) -> None:
            if self._broker is not None:
                listener.disconnected()
            self._broker = broker
            broker.notifyOnDisconnect(lambda: lost(broker))
            connection_made(broker, *args, **kwargs)

        def gotPerspective(perspective: Any) -> None:
            got_perspective(perspective)
            self._perspective = perspective
            listener.attached()

        factory.clientConnectionMade = clientConnectionMade
        factory.gotPerspective = gotPerspective
        _greet(self._bot, listener)
        self._bot.remote_presence_view = listener.viewArrived

    def send(self, name: str, message: dict[str, Any]) -> Deferred[Any]:
        """See `Transport`."""
        return maybeDeferred(self._perspective.callRemote, name, message)

    def runningBuilders(self) -> list[str]:
        """See `Transport`."""
        return _busy_builders(self._bot)

    def runningCommands(self) -> list[Any]:
        """See `Transport`."""
        return _builders_commands(self._bot)


class MsgpackTransport:
    """Over `msgpack_experimental_v7`: messages with an `op`, on a websocket."""

    ownsProcess = True

    def __init__(self, worker: Any) -> None:
        self._bot = worker.bot
        self._factory = worker.bf
        self._protocol: Any = None
        # the numbers of what was asked, and has not been answered, on this connection
        self._asked: set[int] = set()

    def listen(self, listener: Listener) -> None:
        """See `Transport`."""
        build = self._factory.buildProtocol

        def buildProtocol(address: Any) -> Any:
            protocol = build(address)
            if protocol is not None:
                self._follow(protocol, listener)
            return protocol

        self._factory.buildProtocol = buildProtocol
        _greet(self._bot, listener)

    def send(self, name: str, message: dict[str, Any]) -> Deferred[Any]:
        """See `Transport`."""
        if self._protocol is not None:
            self._asked.add(self._protocol.seq_number)
        return maybeDeferred(self._protocol.get_message_result, {"op": name, "args": message})

    def runningBuilders(self) -> list[str]:
        """See `Transport`."""
        # a command does not say for which builder it runs
        return ["a builder that is not known"] if self._bot.protocol_commands else []

    def runningCommands(self) -> list[Any]:
        """See `Transport`."""
        return _commands(self._bot.protocol_commands.values())

    def _follow(self, protocol: Any, listener: Listener) -> None:
        on_message, on_close = protocol.onMessage, protocol.onClose
        if self._protocol is not None:
            listener.disconnected()
        self._protocol = protocol
        log, asked = protocol.maybe_log_master_to_worker_msg, set[int]()
        self._asked = asked

        def maybe_log(message: Any) -> None:
            # the stock protocol would write all that a master answers into the log, as long as it is
            ours = isinstance(message, dict) and message.get("op") == "response"
            number = message.get("seq_number") if ours else None
            if isinstance(number, int) and number in asked:
                asked.discard(number)
            else:
                log(message)

        def onMessage(payload: bytes, isBinary: bool) -> None:
            op, sequence, args = _opened(payload) if isBinary else (None, None, None)
            if op != PRESENCE_VIEW:
                on_message(payload, isBinary)
            if op == PRESENCE_VIEW:
                listener.viewArrived(args)
                protocol.send_response_msg({"seq_number": sequence}, None, is_exception=False)
            elif op == "set_worker_settings" and protocol is self._protocol:
                # the first thing that the master does with a worker which it has accepted
                listener.attached()

        def onClose(*args: Any, **kwargs: Any) -> None:
            if protocol is self._protocol:
                self._protocol = None
                listener.disconnected()
            on_close(*args, **kwargs)

        protocol.maybe_log_master_to_worker_msg = maybe_log
        protocol.onMessage = onMessage
        protocol.onClose = onClose


_OPS = (PRESENCE_VIEW.encode(), b"set_worker_settings")


def _opened(payload: bytes) -> tuple[Any, Any, Any]:
    """The op, the sequence number and the args of a message, if it is one of those which matter here."""
    if not any(op in payload for op in _OPS):
        return None, None, None
    import msgpack  # noqa: PLC0415 (who speaks this protocol has it)

    try:
        message = msgpack.unpackb(payload, raw=False)
        return message.get("op"), message.get("seq_number"), message.get("args")
    except (ValueError, AttributeError):
        return None, None, None  # the stock protocol says what is wrong with it


class NullTransport:
    """Within the master's process: the connection's methods are called, and it calls the bot's."""

    ownsProcess = False

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._connection: Any = None

    def listen(self, listener: Listener) -> None:
        """See `Transport`."""
        bot = self._worker.bot
        set_builder_list = bot.remote_setBuilderList

        def lost(connection: Any) -> None:
            if connection is self._connection:
                self._connection = None
                listener.disconnected()

        def remote_setBuilderList(builders: Any) -> Any:
            answer = set_builder_list(builders)
            connection = self._worker.parent.conn
            if connection is not None and connection is not self._connection:
                self._connection = connection
                connection.notifyOnDisconnect(lambda: lost(connection))
                listener.attached()
            return answer

        bot.remote_setBuilderList = remote_setBuilderList
        _greet(bot, listener)
        bot.remote_presence_view = listener.viewArrived

    def send(self, name: str, message: dict[str, Any]) -> Deferred[Any]:
        """See `Transport`."""
        receive: Callable[[str, dict[str, Any]], Any] = self._connection.presenceMessageReceived
        return maybeDeferred(receive, name, message)

    def runningBuilders(self) -> list[str]:
        """See `Transport`."""
        return _busy_builders(self._worker.bot)

    def runningCommands(self) -> list[Any]:
        """See `Transport`."""
        return _builders_commands(self._worker.bot)
