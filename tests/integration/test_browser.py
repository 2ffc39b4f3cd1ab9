"""What the tests of the pages stand on: a page's mistakes are seen, and a missing browser is."""

import os
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.integration.browser import Browser, checkBrowser

GOOD = "data:text/html,<!doctype html><html style='color-scheme: light dark'><p id=scheme></p><script>{script}</script>"
DARK = "scheme.textContent = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'"


class BrowserTests(SynchronousTestCase):
    def test_sees(self):
        """What a page logs as an error, throws, or cannot load is seen; a page that does none of it is quiet."""
        browser = Browser(self)
        page = browser.open(GOOD.format(script=DARK), scheme="dark")
        self.assertEqual(page.locator("#scheme").inner_text(), "dark")
        browser.assertQuiet()
        for script in (
            "console.error('one')",
            "throw new Error('two')",
            "document.head.append(Object.assign(document.createElement('script'), {src: 'http://127.0.0.1:1/three'}))",
        ):
            with page.expect_event("requestfailed" if "three" in script else "load"):
                page.goto(GOOD.format(script=script))
        said = "\n".join(browser.problems)
        for each in ("error: one", "uncaught: two", "failed: http://127.0.0.1:1/three"):
            self.assertIn(each, said)
        self.assertRaises(AssertionError, browser.assertQuiet)

    def test_look(self):
        """Four screenshots are made, light and dark, wide and narrow; what is wider than a phone is a failure."""
        browser = Browser(self)
        page = browser.open(GOOD.format(script=DARK))
        paths = browser.look(page, "good")
        # the width of a PNG
        widths = [int.from_bytes(path.read_bytes()[16:20], "big") for path in paths]
        self.assertEqual(widths, [1280, 1280, 360, 360])
        self.assertEqual(len({path.read_bytes() for path in paths}), 4)
        page.evaluate("scheme.style.width = '900px'")
        self.assertIn("narrow", str(self.assertRaises(AssertionError, browser.look, page, "bad")))


class MissingTests(SynchronousTestCase):
    def setUp(self):
        self.patch(os, "environ", {**os.environ, "PRESENCE_CHROMIUM": str(Path(self.mktemp()) / "chromium")})

    def test_skipped(self):
        """Without a Chromium a test is skipped, and says what to install."""
        os.environ.pop("PRESENCE_BROWSER", None)
        self.assertIn("apt-get install chromium", str(self.assertRaises(SkipTest, checkBrowser)))

    def test_required(self):
        """Where a browser is required, as before a change lands, a test without it fails."""
        os.environ["PRESENCE_BROWSER"] = "required"
        self.assertIn("apt-get install chromium", str(self.assertRaises(AssertionError, checkBrowser)))
