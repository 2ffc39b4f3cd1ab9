"""What both pages share, in a real Chromium: the sentences for holds, and texts that turn around."""

import json

from twisted.trial.unittest import SynchronousTestCase

from presence.words.holds import HOLDS, holdText, stateText
from presence.words.pages import pageModules
from presence.words.returning import RETURNING, returningText
from tests.integration.browser import Browser

# In a page: the modules, which the server of a page would give.
LOAD = """
async ([sentences, words]) => {
    const address = (text) => URL.createObjectURL(new Blob([text], {type: "text/javascript"}));
    window.holds = await import(address(sentences.replace("./wordlist.js", address(words))));
}
"""

PEOPLE = (None, "owner", "ann", "{reason}")
REASONS = (None, "disk <b>", "{until} $& {by}")
OPTIONS = (
    {},
    {"owner": True},
    {"drain": True},
    {"until": "18:00"},
    {"since": "tomorrow 08:00", "until": "{until}", "owner": True},
)

# In a page: whether what stands after a text in <bdi> is drawn to the right of what stands before it.
ORDER = """
(text) => {
    document.body.innerHTML = "<p dir=ltr><span>before</span> <bdi></bdi> <span>12:00</span></p>";
    document.querySelector("bdi").textContent = holds.shown(text);
    const [before, after] = [...document.querySelectorAll("span")].map((each) => each.getBoundingClientRect());
    return before.right <= after.left && document.querySelector("bdi").getBoundingClientRect().right <= after.left;
}
"""


class WordsTests(SynchronousTestCase):
    def setUp(self):
        modules = pageModules()
        self.browser = Browser(self)
        self.page = self.browser.open("data:text/html,<!doctype html><meta charset=utf-8>")
        self.page.evaluate(LOAD, [modules["holds.js"].decode(), modules["wordlist.js"].decode()])

    def test_sameSentences(self):
        """The pages and the command line say the same of every hold and state."""
        cases = [
            [{"source": source, "reason": reason, "by": by}, options]
            for source in (*HOLDS, "of-the-future")
            for by in PEOPLE
            for reason in REASONS
            for options in OPTIONS
        ]
        said = self.page.evaluate(
            "(cases) => cases.map(([hold, options]) => holds.holdText(hold, options))", cases
        )
        self.assertEqual(said, [holdText(hold, **options) for hold, options in cases])
        entities = [
            {"state": "AVAILABLE"},
            {"state": "NOT_ACCEPTING_NEW_BUILDS", "drain": None},
            {"state": "NOT_ACCEPTING_NEW_BUILDS", "drain": {"state": "drained"}},
            *({"state": "AVAILABLE", "blocked": [{"kind": kind}]} for kind in ("lock", "reconfig", "new")),
        ]
        self.assertEqual(
            self.page.evaluate("(entities) => entities.map(holds.stateText)", entities),
            list(map(stateText, entities)),
        )
        returning = [
            [{"does": does}, until]
            for does in (*RETURNING, "of-the-future")
            for until in ("", "18:00", "$& {until}")
        ]
        self.assertEqual(
            self.page.evaluate(
                "(cases) => cases.map(([each, until]) => holds.returningText(each, until))", returning
            ),
            [returningText(*case) for case in returning],
        )
        self.browser.assertQuiet()

    def test_nothingHides(self):
        """What turns text around, breaks a line or cannot be seen is seen; letters of any script are left alone."""
        for text, expected in (
            ("a\u202eb", "a\ufffdb"),
            ("\u2067a\u2069", "\ufffda\ufffd"),
            ("mac\u200bmini", "mac\ufffdmini"),
            ("a\nb\x1b[2J\u2028\ufeff", "a\ufffdb\ufffd[2J\ufffd\ufffd"),
            ("naïve – 日本語 עברית ☕️ 👩‍🔧 می‌خواهم", None),
        ):
            self.assertEqual(self.page.evaluate("(text) => holds.shown(text)", text), expected or text)

    def test_isolated(self):
        """A text in any direction of writing leaves what stands beside it where it is: in an element, and in a string."""
        for text in ("עברית 12:00", "a\u202eb", "\u2069\u2069\u202eb", "\u2067\u2067 עב", "abc"):
            self.assertTrue(self.page.evaluate(ORDER, text), json.dumps(text))
        hold = {"source": "admin", "by": "עברית", "reason": "ab\u202ec"}
        self.assertEqual(
            self.page.evaluate("(hold) => holds.holdText(hold)", hold),
            "held by \u2068עברית\u2069 (ab\ufffdc)",
        )
