"""The words for states and holds."""

import json

from twisted.trial.unittest import SynchronousTestCase

from presence.model.states import SOURCES, PresenceState
from presence.words.holds import DOES, FOR_OWNER, HOLDS, STATES, atText, holdText, stateText
from presence.words.pages import pageModules


def hold(source, reason=None, by=None):
    return {"source": source, "reason": reason, "by": by}


class WordsTests(SynchronousTestCase):
    def test_everySource(self):
        """Every source has a name, in the order in which holds are shown; every state has words."""
        self.assertEqual(tuple(HOLDS), SOURCES)
        self.assertLessEqual(set(FOR_OWNER), set(SOURCES))
        self.assertEqual(list(DOES), [state.value for state in PresenceState])
        self.assertLessEqual(set(DOES), set(STATES))

    def test_sentence(self):
        """A hold is said with who placed it, why, since when and until when: as far as it is known."""
        for case in (
            (hold("admin"), {}, "held by an admin"),
            (hold("admin", "disk", "ann"), {}, "held by ann (disk)"),
            (hold("admin", "disk", "ann"), {"owner": True}, "held by ann (disk)"),
            (hold("admin", "disk", "ann"), {"drain": True}, "drain by ann (disk)"),
            (hold("break", "office hours"), {"drain": True}, "on a break (office hours)"),
            (hold("worker", "rendering", "owner"), {}, "held by its owner (rendering)"),
            (hold("worker", None, "joe"), {}, "held by its owner joe"),
            (hold("worker", "rendering", "joe"), {"owner": True}, "away (rendering)"),
            (hold("worker", "on battery", "sensor"), {}, "away by itself (on battery)"),
            (
                hold("sensor", "on battery", "sensor"),
                {"owner": True, "until": "it is over"},
                "away by itself (on battery), until it is over",
            ),
            (hold("quarantine", None, "nobody"), {}, "in quarantine"),
            (hold("of-the-future", "new", "ann"), {}, "of-the-future (new)"),
            (
                hold("admin", "{until}{by}", "{reason}"),
                {"since": "{until}", "until": "18:00"},
                "held by {reason} ({until}{by}), since {until}, until 18:00",
            ),
        ):
            said, options, expected = case
            self.assertEqual(holdText(said, **options), expected)

    def test_state(self):
        """A state is a word; that of a worker that is drained says how far it is."""
        self.assertEqual(stateText({"state": "AVAILABLE"}), "available")
        drained = {"state": "NOT_ACCEPTING_NEW_BUILDS", "drain": None}
        self.assertEqual(stateText(drained), "not accepting")
        self.assertEqual(stateText({**drained, "drain": {"state": "draining"}}), "draining")


class ModuleTests(SynchronousTestCase):
    def test_at(self):
        """When something happens, with the word that goes with the text of the instant."""
        for text, said in (
            ("18:00", "at 18:00"),
            ("tomorrow 08:00", "tomorrow at 08:00"),
            ("yesterday 08:00", "yesterday at 08:00"),
            ("Fri 19:00", "on Fri 19:00"),
            ("24 Dec 2027 12:00", "on 24 Dec 2027 12:00"),
        ):
            self.assertEqual(atText(text), said)

    def test_words(self):
        """The pages get the words of `holds.py`, as they are."""
        text = pageModules()["wordlist.js"].decode()
        self.assertTrue(text.startswith("export default {"))
        words = json.loads(text.removeprefix("export default ").removesuffix(";\n"))
        self.assertEqual(words["holds"], {source: list(pair) for source, pair in HOLDS.items()})
        self.assertEqual(words["states"], STATES)
