"""Our resources of Buildbot's Data API: registered when somebody first asks for one of them, or for what there is at all.

A master of which nobody has the page open, and that nobody orders anything, has not got them in memory.
"""

# (they are imported by the function that registers them)
# ruff: noqa: PLC0415

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from presence.lazy import MAKE, later
from presence.master.api.registration import heal, registerResources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: The names of the resource types, and what their collections are called.
PLURALS = {
    "presence": "presences",
    "builderpresence": "builderpresences",
    "runningbuild": "runningbuilds",
    "requestpresence": "requestpresences",
    "reconfig": "reconfigs",
    "shutdown": "shutdowns",
    "trailentry": "trail",
}

# What registering them imports, each before what needs it.
_NEEDED = (
    "presence.master.api.fields",
    "presence.master.api.endpoints",
    "presence.master.api.presences",
    "presence.master.builds.requests",
    "presence.master.api.requestpresences",
    "presence.master.builds.everywhere",
    "presence.master.api.runningbuilds",
    "presence.master.api.reconfig",
    "presence.master.api.shutdown",
    "presence.master.trail.resource",
)

# The paths of what tells what there is.
_ALL = {(), ("application.spec",)}


def imported() -> Iterator[None]:
    """Import what registering them needs, a module or two at a time.

    Whoever may wait a little does it in as many turns of the reactor: all at once it takes 40 ms on a slow machine.
    """
    for name in _NEEDED:
        import_module(name)
        yield


class Resources:
    """The resource types of `master`, by name; whatever is asked of one of them registers all of them.

    `wire` is called with all of them then, by name, before anybody else gets hold of them.
    """

    def __init__(self, master: Any, wire: Callable[[Mapping[str, Any]], object]) -> None:
        self._master = master
        self._wire = wire
        self._types: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        # (other masters are given `serve`, and may never ask)
        meanwhile = {"name": name, "plural": PLURALS[name], "serve": lambda *_: MAKE}
        return later(lambda: self.register()[name], meanwhile)

    def start(self) -> None:
        """Register them when somebody asks the Data API for a path that it does not know, or for all that it knows."""
        heal(self._master)
        matcher = self._master.data.matcher
        self._plain = type(matcher)
        matcher.__class__ = _first_ask(self._plain, self.register)

    def stop(self) -> None:
        """Leave the Data API alone."""
        self._master.data.matcher.__class__ = self._plain

    def register(self) -> Mapping[str, Any]:
        """The resource types, which are registered from now on."""
        if not self._types:
            from presence.master.api import presences, reconfig, requestpresences, runningbuilds, shutdown
            from presence.master.trail import resource

            for module in (presences, runningbuilds, requestpresences, reconfig, shutdown, resource):
                self._types.update(registerResources(self._master, module))
            self._wire(self._types)
        return self._types


def _first_ask(base: Any, register: Callable[[], object]) -> Any:
    """The class of a matcher of paths that is a `base`, and becomes one again when it is asked for what it may not know."""

    class FirstAsk(base):
        def __getitem__(self, path: Any) -> Any:
            if path not in _ALL:
                try:
                    return super().__getitem__(path)
                except KeyError:
                    pass
            self.__class__ = base
            register()
            return self[path]

    return FirstAsk
