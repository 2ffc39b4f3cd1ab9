"""A connection to a D-Bus, of which the messages are made and read by the package jeepney."""

from __future__ import annotations

import itertools
import time
from importlib.util import find_spec
from typing import Any

from presence.worker.looking.cannottell import CannotTellError, needs

#: How long the bus may take to answer, in seconds.
PATIENCE = 2.0

# more than anybody ever says at once, in bytes; and so many signals are kept until they are asked for
_MOST = 1 << 20
_SIGNALS = 100


class Bus:
    """A connection to the bus at `address`, or to the one that is called so ("SYSTEM", "SESSION"), on which the signals of
    `interface` at `path` are heard. Nothing blocks for longer than `patience` seconds.

    What goes wrong is an `OSError`, a `CannotTellError`, or what jeepney raises, which has no common class.
    """

    def __init__(
        self, address: str, *, what: str, interface: str, path: str, patience: float | None = None
    ) -> None:
        if find_spec("jeepney") is None:
            raise needs("jeepney", what)
        import jeepney  # noqa: PLC0415 (an extra)
        from jeepney.bus import get_bus  # noqa: PLC0415
        from jeepney.io.blocking import prep_socket  # noqa: PLC0415

        self.jeepney = jeepney
        self._what = what
        self._patience = PATIENCE if patience is None else patience
        self._parser = jeepney.Parser()
        self._serials = itertools.count(1)
        self._signals: list[Any] = []
        self._socket = prep_socket(get_bus(address), timeout=self._patience)
        try:
            self.call(jeepney.message_bus.Hello())
            self.call(
                jeepney.message_bus.AddMatch(jeepney.MatchRule(type="signal", interface=interface, path=path))
            )
        except BaseException:
            self.close()
            raise

    def call(self, message: Any) -> Any:
        """The body of the answer to `message`, a call."""
        from jeepney.wrappers import unwrap_msg  # noqa: PLC0415 (an extra)

        serial = next(self._serials)
        self._socket.settimeout(self._patience)
        self._socket.sendall(message.serialise(serial=serial))
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline:
            answer = self._next()
            if answer.header.fields.get(self.jeepney.HeaderFields.reply_serial) == serial:
                return unwrap_msg(answer)
        raise CannotTellError(f"{self._what} has not answered within {self._patience:.0f} s")

    def signals(self, patience: float = 0.0) -> list[Any]:
        """The signals that have come since the last time; for the first one it waits so many seconds."""
        self._socket.settimeout(0.0 if self._signals else patience)
        try:
            for _ in range(_SIGNALS):
                self._next()
                self._socket.settimeout(0.0)
        except (BlockingIOError, TimeoutError):
            pass
        heard, self._signals = self._signals, []
        return heard

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def _next(self) -> Any:
        """The next message."""
        read = 0
        while (message := self._parser.get_next_message()) is None:
            piece = self._socket.recv(4096)
            read += len(piece)
            if not piece:
                raise ConnectionResetError("the bus has ended the connection")
            if read > _MOST:
                raise CannotTellError("what the bus says is too long")
            self._parser.add_data(piece)
        if message.header.message_type is self.jeepney.MessageType.signal and len(self._signals) < _SIGNALS:
            self._signals.append(message)
        return message
