import json

from tests.commands.master.admincase import HOUR, NOW, AdminTestCase


def reason(text, kind="busy", since=None, until=None, *, estimated=False, hint=None):
    return {"kind": kind, "text": text, "since": since, "until": until, "estimated": estimated, "hint": hint}


BUSY = reason("busy with runtests #2", until=NOW + 720, estimated=True)
HELD = reason("held by ann (disks)", "admin", hint="presence release aarch64")

SAID = "mac-mini: busy with runtests #2, for about 12 min more"
START = "It may start in about 12 min."


def entity(requestid, workers, *, state="waiting", builder="runtests", reasons=(), earliest=NOW + 720):
    summary = [{**each, "text": f"{name}: {each['text']}"} for name, told in workers for each in told]
    return {
        "buildrequestid": requestid,
        "builderid": 1,
        "builder": builder,
        "state": state,
        "submitted_at": None if requestid is None else NOW - HOUR,
        "ahead": 0,
        "reasons": list(reasons),
        "workers": [
            {"workerid": 1, "name": name, "reasons": told, "earliest": None, "estimated": False}
            for name, told in workers
        ],
        "total": len(workers),
        "summary": [*reasons, *summary],
        "earliest": earliest,
        "estimated": True,
    }


class WhyTests(AdminTestCase):
    """`why` says of requests and builders what the API says, with instants of here."""

    def setUp(self):
        super().setUp()
        self.asked = entity(7, [("mac-mini", [BUSY]), ("aarch64", [HELD])])
        builder = entity(None, [("mac-mini", [BUSY])], state="none")
        self.master.more = {
            "requestpresences": [self.asked],
            "requestpresences/7": [self.asked],
            "builders/1/requestpresence": [builder],
        }

    def test_request(self):
        """A request: since when it waits, each worker with its reason, when it may start, and what could be done."""
        self.assertEqual(
            self.done("why", "7"),
            [
                f"request 7 of runtests, since 05:00: Waits: {SAID}; aarch64: held by ann (disks). {START}",
                "  to do: presence release aarch64",
            ],
        )

    def test_all(self):
        """Without a name all that wait; none is said, too."""
        self.assertEqual(self.done("why"), self.done("why", "7"))
        self.master.more["requestpresences"] = []
        self.assertEqual(self.done("why"), ["no request waits"])

    def test_builder(self):
        """A builder: why a request of it would wait."""
        self.assertEqual(
            self.done("why", "run*"),
            [f"runtests: A request would wait: {SAID}. {START}"],
        )

    def test_many(self):
        """Of many workers each is told in a table."""
        workers = [(f"w{number}", [BUSY]) for number in range(3)] + [("gone", [HELD, BUSY])]
        self.master.more["requestpresences/7"] = [entity(7, workers)]
        self.assertEqual(
            self.done("why", "7")[1:3] + self.done("why", "7")[-2:],
            [
                "  WORKER  WHY",
                "  w0      busy with runtests #2, for about 12 min more",
                "  gone    held by ann (disks); busy with runtests #2, for about 12 min more",
                "  to do: presence release aarch64",
            ],
        )

    def test_json(self):
        """`--json` prints what the API says."""
        self.assertEqual(json.loads("\n".join(self.done("why", "--json", "7"))), [self.asked])

    def test_nothing(self):
        """A request or a builder that is not there is a usage error, and says who there is."""
        for name, said in (
            ("8", "there is no request 8: `presence why` shows those that wait"),
            ("x", "there is no builder x: there are runtests, mac only"),
        ):
            status, out, err = self.run_("why", name)
            self.assertEqual((status, out), (2, ""))
            self.assertIn(said, err)

    def test_noPresences(self):
        """A master without presences, or with older ones, is told from others, with what helps."""
        self.master.more = {}
        status, _, err = self.run_("why")
        self.assertEqual(status, 1)
        self.assertIn("PresenceService()", err)
