"""The page in Buildbot's web UI: `c["www"]["plugins"] = {"presence": {}}`.

Buildbot imports all plugins of its UI that are installed when any master of the machine starts, and does not start
when one of them cannot be imported. So nothing is imported here but what Buildbot's own plugins import. The words come in
when somebody opens the page.
"""

from __future__ import annotations

from typing import Any

from buildbot.www.plugin import Application
from twisted.web.resource import Resource
from twisted.web.static import Data, File

#: The modules that it shares: see `presence.words.pages`.
SHARED = ("holds.js", "waiting.js", "wordlist.js")

# Browsers ask each time whether a file has changed. They import each other: of two versions, one from before an
# update, nothing good would come.
_FRESH = (b"Cache-Control", b"no-cache")


class _Page(File):
    """The files of the page."""

    def render_GET(self, request: Any) -> Any:
        """The file, or that it is still the same."""
        request.setHeader(*_FRESH)
        return super().render_GET(request)  # type: ignore[no-untyped-call]


class _Shared(Resource):
    """A module that it shares with the page of the workers' owners."""

    def __init__(self, name: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = name

    def render_GET(self, request: Any) -> Any:
        """The module."""
        from presence.words.pages import pageModules  # noqa: PLC0415 (nobody may open the page)

        request.setHeader(*_FRESH)
        return Data(pageModules()[self._name], "text/javascript").render_GET(request)  # type: ignore[no-untyped-call]


ep = Application(__package__, "The presence of workers")
ep.resource = _Page(str(ep.static_dir))
for name in SHARED:
    ep.resource.putChild(name.encode(), _Shared(name))
