import json

from tests.commands.master.admincase import HOUR, NOW, AdminTestCase


def entry(number, text, workers=("mac-mini",), *, at=NOW, until=None, kind="order"):
    return {"number": number, "at": at, "kind": kind, "workers": list(workers), "until": until, "text": text}


class LogTests(AdminTestCase):
    """`log` says what the trail of the master says, the oldest first, with instants of here."""

    def setUp(self):
        super().setUp()
        self.master.more = {
            "trail": [
                entry(9, "reconfigured by ann", ()),
                entry(8, "hold by ann (disk)", until=NOW + HOUR, at=NOW - HOUR),
                entry(7, "no longer on a break", ["aarch64"], kind="end", until=NOW, at=NOW - 2 * HOUR),
            ]
        }

    def test_text(self):
        """Each entry is a line: when, of whom, what, and until when."""
        self.assertEqual(
            self.done("log"),
            [
                "2026-11-23 04:00:00  aarch64: no longer on a break",
                "2026-11-23 05:00:00  mac-mini: hold by ann (disk), until 07:00",
                "2026-11-23 06:00:00  master: reconfigured by ann",
            ],
        )

    def test_workers(self):
        """Names and patterns choose; one that is no worker's is a mistake."""
        self.assertEqual(len(self.done("log", "mac-*")), 1)
        status, _, err = self.run_("log", "mac-mimi")
        self.assertEqual(
            (status, err), (2, "presence: there is no worker mac-mimi: did you mean mac-mini?\n")
        )

    def test_many(self):
        """Of an order for many workers three are named."""
        self.master.more["trail"] = [entry(1, "hold by ann", ["a", "b", "c", "d", "e"])]
        self.assertEqual(self.done("log"), ["2026-11-23 06:00:00  a, b, c and 2 more: hold by ann"])

    def test_json(self):
        """With --json each line is what the API says."""
        self.assertEqual(json.loads(self.done("log", "--json", "mac-mini")[0]), self.master.more["trail"][1])

    def test_off(self):
        """A master that keeps none is said to, and how that is changed."""
        self.master.more = {}
        status, _, err = self.run_("log")
        self.assertEqual(status, 2)
        self.assertIn("trail=True", err)

    def test_follow(self):
        """With --follow it goes on with what happens, and tells nothing twice."""
        events = [entry(9, "reconfigured by ann", ()), entry(10, "release by bob")]
        self.master.stream = b"event: handshake\ndata: x\n\n" + b"".join(
            b"event: event\ndata: %s\n\n"
            % json.dumps({"key": ["trail", str(each["number"]), "new"], "message": each}).encode()
            for each in events
        )
        status, out, err = self.run_("log", "--follow")
        self.assertEqual((status, len(out.splitlines())), (1, 4))
        self.assertIn("mac-mini: release by bob", out.splitlines()[-1])
        self.assertIn("has ended the connection", err)
