"""The page in Buildbot's web UI: `c["www"]["plugins"] = {"presence": {}}`.

Buildbot imports all plugins of its UI that are installed when any master of the machine starts, and does not start
when one of them cannot be imported. So nothing is imported here but what Buildbot's own plugins import.
"""

from __future__ import annotations

from typing import Any

from buildbot.www.plugin import Application
from twisted.web.static import File


class _Fresh(File):
    """The files of the page. Browsers ask each time whether they have changed.

    They import each other: of two versions, one from before an update, nothing good would come.
    """

    def render_GET(self, request: Any) -> Any:
        """The file, or that it is still the same."""
        request.setHeader(b"Cache-Control", b"no-cache")
        return super().render_GET(request)  # type: ignore[no-untyped-call]


ep = Application(__package__, "The presence of workers")
ep.resource = _Fresh(str(ep.static_dir))
