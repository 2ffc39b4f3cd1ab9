"""The metrics at a port of their own: `http://127.0.0.1:PORT/metrics`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks
from twisted.internet.endpoints import serverFromString
from twisted.logger import Logger
from twisted.web.resource import Resource
from twisted.web.server import Site

from presence.model.retries import Retries

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from twisted.internet.defer import Deferred

_log = Logger()


class MetricsPage(Resource):
    """Sends what `text()` says."""

    isLeaf = True

    def __init__(self, text: Callable[[], str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._text = text

    def render_GET(self, request: Any) -> bytes:
        """The metrics."""
        if request.path != b"/metrics":
            request.setResponseCode(404)
            return b"the metrics are at /metrics\n"
        request.setHeader(b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
        return self._text().encode()


class MetricsPort:
    """Listens at `where`, in Twisted's way to write it; if that cannot be had, it is tried again."""

    def __init__(self, reactor: Any, where: str, text: Callable[[], str]) -> None:
        self._reactor = reactor
        self._where = where
        self._site = Site(MetricsPage(text))  # type: ignore[no-untyped-call]
        self._site.noisy = False
        self._port: Any = None
        self._stopped = False
        self._complained = False
        self._retries = Retries(reactor, lambda _: self.start())

    @inlineCallbacks
    def start(self) -> Generator[Deferred[Any], Any, None]:
        """Listen."""
        try:
            endpoint = serverFromString(self._reactor, self._where)  # type: ignore[no-untyped-call]
            port = yield endpoint.listen(self._site)
        except Exception as problem:  # noqa: BLE001 (builds go on without metrics)
            if not self._complained:
                self._complained = True
                _log.error(
                    "the metrics cannot be had at {where} ({problem}); it is tried again, and this is said once",
                    where=self._where,
                    problem=problem,
                )
            self._retries.failed("listen")
            return
        if self._stopped:
            yield port.stopListening()
            return
        self._port = port
        self._retries.succeeded("listen")
        _log.info(
            "the metrics are at port {port}, /metrics", port=getattr(port.getHost(), "port", self._where)
        )

    @property
    def number(self) -> int | None:
        """The number of the port; None while there is none."""
        return None if self._port is None else getattr(self._port.getHost(), "port", None)

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Listen no more."""
        self._stopped = True
        self._retries.stop()
        port, self._port = self._port, None
        if port is not None:
            yield port.stopListening()
