"""A master that keeps a trail, whose files are written when it is said so, and by nobody else's thread."""

import json
from pathlib import Path

from twisted.internet.defer import maybeDeferred

from presence.master.service import PresenceService
from presence.master.trail.store import FILENAME
from presence.master.trail.trail import Trail
from tests.master.apicase import ApiTestCase


class Inline:
    """A `Background` without a thread."""

    waiting = 0

    def __init__(self, *_):
        self.stopped = False

    def run(self, function):
        return maybeDeferred(function)

    def stop(self):
        self.stopped = True


class TrailTestCase(ApiTestCase):
    """`entries()` are those in the file, the oldest first, without their numbers."""

    service = {"trail": True}  # noqa: RUF012

    def setUp(self):
        super().setUp()
        self.patch(Trail, "backgroundFactory", Inline)

    def config(self, controllers, builders=None, *, service=None, **more):
        more["services"] = [PresenceService(**(self.service if service is None else service))]
        return super().config(controllers, builders, **more)

    @property
    def file(self):
        return Path(self.master.basedir, FILENAME)

    def entries(self):
        self.pass_(0.01)
        if not self.file.exists():
            return []
        found = [json.loads(line) for line in self.file.read_bytes().splitlines()]
        for each in found:
            del each["number"]
        return found

    def texts(self, path="trail"):
        """The texts that the API tells, the oldest first."""
        self.pass_(0.01)
        return [each["text"] for each in reversed(self.getAll(path))]
