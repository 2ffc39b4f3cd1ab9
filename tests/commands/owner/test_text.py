from datetime import timezone

from twisted.trial.unittest import SynchronousTestCase

from presence.commands.owner.text import OwnerText

NOW = 1_800_000_000.0  # Friday, 15 January 2027, 08:00 UTC
HOUR = 3600.0


def hold(source, reason=None, by=None, until=None):
    return {"source": source, "reason": reason, "by": by, "since": NOW - HOUR, "until": until}


def status(*holds, view=None, **more):
    """A status with a master that sees what `view` says, by default the same."""
    state = "NOT_ACCEPTING_NEW_BUILDS" if holds else "AVAILABLE"
    ends = [each["until"] for each in holds]
    master = {
        "connected": True,
        "knows_presence": True,
        "why": None,
        "view": view or {"state": state, "holds": holds},
    }
    return {
        "name": "mac-mini",
        "state": state,
        "holds": list(holds),
        "back_at": max(ends) if ends and None not in ends else None,
        "next_break": None,
        "work_until": None,
        "running": [],
        "stopping": None,
        "master": master,
        "now": NOW,
        "told": True,
        **more,
    }


def text(*holds, **more):
    return OwnerText(status(*holds, **more), timezone.utc)


class StatusTests(SynchronousTestCase):
    maxDiff = None

    def test_available(self):
        """A worker that is available and idle has little to say."""
        self.assertEqual(
            text().status(),
            "mac-mini accepts builds.\n"
            "Runs        nothing\n"
            "Next break  none in the coming days\n"
            "Master      connected, and sees it so too",
        )

    def test_returning(self):
        """What is done with what runs while its owner is there is said, and when it is sent back."""
        for returning, said in (
            ({"does": "nice", "until": None}, "what runs has the lowest priority"),
            (
                {"does": "suspend", "until": NOW + HOUR},
                "what runs is suspended, and is sent back at 09:00 if this machine is still needed then",
            ),
            ({"does": "sent", "until": None}, "what runs is sent back, to be built elsewhere"),
            ({"does": "of the future", "until": None}, "what runs: of the future"),
        ):
            self.assertEqual(
                text(running=[{"builder": "any", "since": None}], on_return=returning)
                .status()
                .split("\n")[1:3],
                ["Runs        any", f"            {said}"],
            )

    def test_away(self):
        """Every hold is there with its reason, its beginning and its end; and all else that there is to know."""
        self.assertEqual(
            text(
                hold("break", "office hours", until=NOW + 3 * HOUR),
                hold("worker", "rendering", "owner", until=NOW + 25 * HOUR),
                running=[{"builder": "runtests", "since": NOW - 300}, {"builder": "docs", "since": None}],
                next_break={"start": NOW + 23 * HOUR, "stop": NOW + 35 * HOUR, "reason": "office hours"},
                stopping={"deadline": NOW + HOUR},
            ).status(),
            "mac-mini does not accept builds, until tomorrow 09:00.\n"
            "Why         on a break (office hours), since 07:00, until 11:00\n"
            "            away (rendering), since 07:00, until tomorrow 09:00\n"
            "Stops       when nothing runs any more, and at 09:00 in any case\n"
            "Runs        runtests, for 5 min\n"
            "            docs\n"
            "Next break  tomorrow 07:00, until tomorrow 19:00 (office hours)\n"
            "Master      connected, and sees it so too",
        )

    def test_others(self):
        """What others hold is told apart from what the owner said, and one without an end has none."""
        said = text(hold("admin", "new disk", "alice"), hold("pause"), hold("of-the-future")).status()
        for part in (
            "held by alice (new disk)",
            "paused, since",
            "of-the-future",
            "until it is ended",
        ):
            self.assertIn(part, said)
        self.assertTrue(said.startswith("mac-mini does not accept builds.\n"))

    def test_work(self):
        """A suspension of the breaks is told."""
        self.assertIn(
            "Works       in spite of the scheduled breaks, until 16:00",
            text(work_until=NOW + 8 * HOUR).status(),
        )

    def test_noView(self):
        """Without a view it says why there is none."""
        master = {"connected": False, "knows_presence": None, "why": "there is no connection", "view": None}
        self.assertTrue(text(master=master).status().endswith("Master      there is no connection"))

    def test_otherView(self):
        """A master that sees it otherwise is quoted, with what it refused."""
        view = {"state": "AVAILABLE", "holds": []}
        master = {"connected": True, "knows_presence": True, "why": "version 1 is not known", "view": view}
        self.assertTrue(
            text(hold("worker"), master=master)
            .status()
            .endswith("Master      version 1 is not known\n            sees it otherwise: accepts builds")
        )

    def test_noEscapes(self):
        """What others wrote cannot make the terminal do anything."""
        evil = "\x1b[2J\x07\u202e\u200b"
        for said in (
            text(hold("admin", evil, evil), running=[{"builder": evil, "since": None}]).status(),
            text(hold("admin", evil, evil), running=[{"builder": evil, "since": None}]).outcome(),
            text(running=[{"builder": evil, "since": None}]).waiting(),
        ):
            self.assertNotIn("\x1b", said)
            self.assertNotIn("\x07", said)
            self.assertIn("\ufffd[2J\ufffd\ufffd\ufffd", said)


class OrderTests(SynchronousTestCase):
    def test_outcome(self):
        """After an order: what is so now, why, and what goes on."""
        self.assertEqual(text().outcome(), "mac-mini accepts builds.")
        self.assertEqual(
            text(
                hold("worker", "rendering"), running=[{"builder": "runtests", "since": NOW - 300}]
            ).outcome(),
            "mac-mini does not accept builds: away (rendering).\nWhat runs goes on: runtests, for 5 min.",
        )
        self.assertEqual(
            text(work_until=NOW + HOUR).outcome(),
            "mac-mini accepts builds, in spite of its breaks until 09:00.",
        )

    def test_waiting(self):
        """What is waited for is told in a line that stays the same while it is the same."""
        build = {"builder": "runtests", "since": NOW - 300}
        self.assertEqual(text(running=[build]).waiting(), "waiting for runtests (since 07:55)")
        self.assertEqual(
            text(running=[build], stopping={"deadline": NOW + HOUR}).waiting(),
            "waiting for runtests (since 07:55); at 09:00 it is interrupted",
        )
        self.assertIn("has not heard", text(told=False).waiting())
        self.assertIn("end of the process", text(stopping={"deadline": None}).waiting())
