"""A master that is one of several: what the others do is done to its database, and said in its queue, by the test."""

import random

from presence.master.farm import confirmations
from presence.master.farm.reconciliation import ORDERED
from presence.master.holding.recordtable import RecordTable
from tests.master.apicase import ApiTestCase

OTHER = 99


class FarmTestCase(ApiTestCase):
    """`order()` is what another master takes: it stores it, and says so if the message is not lost."""

    def setUp(self):
        super().setUp()
        # each look comes after exactly two seconds
        self.patch(random, "uniform", lambda *_: 0.0)

        # a clock that nobody sets
        self.set_by = 0.0
        self.patch(confirmations, "monotonic", lambda: self.reactor.seconds() - self.set_by)

    def jump(self, seconds):
        self.set_by += seconds
        super().jump(seconds)

    def startMaster(self, controllers, *args, **kwargs):
        super().startMaster(controllers, *args, multiMaster=True, **kwargs)

    def order(self, order, *names, by="bob", told=True):
        """Another master follows an order about these workers: its revision."""
        names = names or ("mac-mini",)
        now = self.reactor.seconds()
        found = self.resultOf(
            RecordTable(self.master).change(names, lambda before: before.after(order, by, now))
        )
        revision = max(each.record.revision for each in found.values())
        if told:
            self.tell(revision, *names)
        return revision

    def tell(self, revision, *names):
        """Another master says that it has stored this."""
        self.master.mq.produce(ORDERED, {"masterid": OTHER, "revision": revision, "workers": list(names)})
