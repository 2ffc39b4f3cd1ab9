"""What `PresenceService` says of metrics: whether there are any, and where."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from buildbot import config
from twisted.internet.endpoints import serverFromString

_HIGHEST = 65535

#: On the master's web server.
WEB = "web"


def metricsPlace(metrics: Any) -> str | None:
    """Where the metrics are that `metrics=` means: None for nowhere, `WEB`, or a port in Twisted's way to write it. Each mistake is a
    `config.error`.
    """
    if metrics is None or metrics is False:
        return None
    if find_spec("prometheus_client") is None:
        config.error(
            f"PresenceService: metrics={metrics!r} needs the library prometheus_client: pip install 'buildbot-presence[metrics]'"
        )
        return None
    if metrics is True:
        return WEB
    if isinstance(metrics, int) and 0 < metrics <= _HIGHEST:
        return f"tcp:{metrics}:interface=127.0.0.1"
    try:
        if isinstance(metrics, str) and metrics != WEB:
            from twisted.internet import reactor  # noqa: PLC0415 (it is Buildbot's here)

            serverFromString(reactor, metrics)  # type: ignore[no-untyped-call]
            return metrics
    except (ValueError, TypeError, LookupError):
        pass
    config.error(
        f"PresenceService: metrics={metrics!r} is not right: give True (on the master's web server), a port of this machine such as "
        '9123, or one as Twisted writes it, such as "tcp:9123:interface=10.0.0.7"'
    )
    return None
