"""The properties of a build, stored together.

Buildbot (`setBuildProperties`) stores one after the other, each in a transaction of its own with two statements. Every build has
some ten, and where the database writes them to a disk they are most of what a start waits for.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from twisted.internet.defer import inlineCallbacks

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from twisted.internet.defer import Deferred


class PropertiesTogether:
    """Lets `master` store the properties of a build in one transaction, all or none, from `start()` to `stop()`."""

    def __init__(self, master: Any) -> None:
        self._master = master
        self._one_by_one: Any = None

    def start(self) -> None:
        """From now on they are stored together."""
        updates = self._master.data.updates
        self._one_by_one, updates.setBuildProperties = updates.setBuildProperties, self._set

    def stop(self) -> None:
        """As Buildbot does it."""
        if self._one_by_one is not None:
            self._master.data.updates.setBuildProperties = self._one_by_one
            self._one_by_one = None

    @inlineCallbacks
    def _set(self, buildid: int, properties: Any) -> Generator[Deferred[Any], Any, None]:
        there = properties.getProperties()
        rendered = yield there.render(there.asDict())
        news = yield self._master.db.pool.do(self._store, buildid, rendered)
        if news:
            yield self._master.data.getResourceType("property").generateUpdateEvent(buildid, news)

    def _store(
        self, connection: Any, buildid: int, properties: Mapping[str, tuple[Any, str]]
    ) -> dict[str, tuple[Any, str]]:
        """Store those that are not stored: all of these, or none. Which these were."""
        db = self._master.db
        table = db.model.build_properties
        of_build = table.c.buildid == buildid
        query = sa.select(table.c.name, table.c.value, table.c.source).where(of_build)
        stored = {row.name: (row.value, row.source) for row in connection.execute(query)}
        news, added, changed = {}, [], []
        for name, told in properties.items():
            value, source = told
            if name in stored and (json.loads(stored[name][0]), stored[name][1]) == told:
                continue
            news[name] = told
            db.builds.checkLength(table.c.name, name)
            db.builds.checkLength(table.c.source, source)
            text = json.dumps(value)
            if name not in stored:
                added.append({"buildid": buildid, "name": name, "value": text, "source": source})
            elif stored[name] != (text, source):
                changed.append({"changed": name, "value": text, "source": source})
        if added:
            connection.execute(sa.insert(table), added)
        if changed:
            update = sa.update(table).where(of_build, table.c.name == sa.bindparam("changed"))
            values = {name: sa.bindparam(name) for name in ("value", "source")}
            connection.execute(update.values(values), changed)
        if added or changed:
            connection.commit()
        return news
