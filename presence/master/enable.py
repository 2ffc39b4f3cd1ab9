"""`presence.enable(c)`, the one line in `master.cfg`: also in that of a master that was started before presence was installed.

Buildbot reads which plugins are installed once, when they are first asked for. A name that it has not found then, it never
finds: `worker.BuildSlave` is "unknown", and a page in `c["www"]["plugins"]` that is not found leaves a reconfig half applied.
Here ours are added to what it has read.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from typing import TYPE_CHECKING, Any

from buildbot import config
from buildbot.errors import PluginDBError
from buildbot.plugins import db
from twisted.logger import Logger

from presence.master.service import PresenceService

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_log = Logger()

_NAMESPACES = ("worker", "util", "www")
_PAGE = "presence"

# What is installed, and has our plugins.
_INSTALLED = "buildbot-presence"


def enable(c: MutableMapping[str, Any], *, page: bool = True, **keywords: Any) -> None:
    """Give a presence to every worker of `c` (the `BuildmasterConfig`), and show them on a page of its web UI.

    The `keywords` are those of `PresenceService`. It may stand anywhere in `master.cfg` after `c["services"]` and `c["www"]`,
    if there are any. Without a web server, or with `page=False`, there is no page.
    """
    knows_page = _register()
    services = c.setdefault("services", [])
    if any(isinstance(each, PresenceService) for each in services):
        config.error(
            'presence.enable(c): there is a PresenceService in c["services"] already: give its keywords to enable() '
            "and remove it"
        )
        return
    services.append(PresenceService(**keywords))
    www = c.get("www")
    if not page or not isinstance(www, dict) or not www.get("port"):
        return
    if knows_page:
        www.setdefault("plugins", {}).setdefault(_PAGE, {})
    else:
        _log.warn(
            "presence.enable(c): this version of Buildbot shows the page only after a restart of the master"
        )


def _knows(known: Any, name: str) -> bool:
    """Whether Buildbot has a plugin of this name; to ask with `in` would import it."""
    try:
        known._get_entry(name)
    except PluginDBError:
        return False
    return True


def _register() -> bool:
    """Let Buildbot know our plugins, if it has been started without them. Whether it knows the page."""
    knows_page = False
    try:
        # (of this package alone: to read those of all that is installed takes long)
        entries = distribution(_INSTALLED).entry_points
        for namespace in _NAMESPACES:
            known = db.get_plugins(namespace, None)
            ours = tuple(entries.select(group=f"buildbot.{namespace}"))
            # (what Buildbot has not read yet it reads itself, ours too, when it is first asked)
            for entry in ours if known._real_tree is not None else ():
                if entry.value.startswith("presence.") and not _knows(known, entry.name):
                    known._tree.add(entry.name, db._PluginEntry(known._group, entry, known._load_entry))
            knows_page |= namespace == "www" and any(entry.name == _PAGE for entry in ours)
    except PackageNotFoundError:
        # it runs from a checkout, of which Buildbot knows nothing
        pass
    except (AttributeError, TypeError):
        # there is no public way, and another Buildbot may keep them otherwise
        _log.failure("while registering the plugins of presence")
        return False
    return knows_page
