from presence.master.api.runningbuilds import RunningBuild
from tests.master.apicase import ApiTestCase
from tests.master.fakemaster import MINUTE
from tests.master.triggers import family


class RunningBuildsTests(ApiTestCase):
    """What is told of the builds that run."""

    def startFamily(self):
        self.startMaster(
            [self.slave("mac-mini"), self.slave("aarch64")],
            **family(self, {"parent": (["mac-mini"], "child"), "child": (["aarch64"], None)}),
        )

    def builderid(self, name):
        return self.master.botmaster.builders[name]._builderid

    def test_fields(self):
        """Which build it is, where, since when, for how long, and what it waits for."""
        self.startFamily()
        self.request("parent")
        self.pass_(MINUTE)
        self.finishAll()
        began = self.reactor.seconds()
        self.request("parent")
        self.pass_(MINUTE / 2)
        parent, child = self.getAll("runningbuilds")
        for each in (parent, child):
            self.assertEntity(each, RunningBuild)
        self.assertEqual(
            parent,
            {
                "buildid": 3,
                "number": 2,
                "builderid": self.builderid("parent"),
                "builder": "parent",
                "workerid": self.workerid("mac-mini"),
                "worker": "mac-mini",
                "masterid": self.master.masterid,
                "started_at": int(began),
                "remaining": parent["remaining"],
                "waits_for": [
                    {
                        "buildrequestid": 4,
                        "builderid": self.builderid("child"),
                        "builder": "child",
                        "running": True,
                    }
                ],
            },
        )
        # the first one took a minute and a bit
        self.assertLess(abs(parent["remaining"] - MINUTE / 2), 3)
        self.assertEqual((child["builder"], child["worker"], child["waits_for"]), ("child", "aarch64", []))
        self.finishAll()
        self.assertEqual(self.getAll("runningbuilds"), [])

    def test_waitsInVain(self):
        """What nobody builds yet is told, too; and what has not been built before takes nobody knows how long."""
        self.startFamily()
        self.presence("aarch64").hold("break")
        self.request("parent")
        self.pass_(1)
        (parent,) = self.getAll("runningbuilds")
        self.assertEqual([each["running"] for each in parent["waits_for"]], [False])
        self.assertIsNone(parent["remaining"])
        self.presence("aarch64").release("break")

    def test_ofAWorker(self):
        """They can be asked for by worker, in every way in which a worker can be named, and filtered."""
        self.startFamily()
        self.request("parent")
        self.pass_(1)
        for path in (
            f"presences/{self.workerid('aarch64')}/runningbuilds",
            "presences/aarch64/runningbuilds",
            "runningbuilds?worker=aarch64",
            "runningbuilds?order=-buildid&limit=1",
        ):
            self.assertEqual([each["builder"] for each in self.getAll(path)], ["child"])
        self.assertEqual(self.getAll("presences/nobody/runningbuilds"), [])

    def test_noOrders(self):
        """Nothing is ordered of them here, and that is said."""
        self.startFamily()
        status, _, text = self.post("runningbuilds", "stop").error
        self.assertEqual(status, 501)
        self.assertIn("POST to builds/ID", text)
