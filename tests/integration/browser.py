"""A real Chromium, driven with Playwright. For tests, and for whoever looks at pages in a benchmark.

    def setUp(self):
        self.browser = Browser(self)            # skips, or fails, the test where there is none: see below
    def test_page(self):
        page = self.browser.open(url)           # a `playwright.sync_api.Page` in a profile of its own
        page.get_by_role("button", name="Back").click()
        expect(page.get_by_role("status")).to_have_text("Available")
        self.browser.assertQuiet()              # no errors in the console, no request that has failed
        self.browser.look(page, "owner")        # owner-light-wide.png, …: four screenshots; nothing sticks out

Everything blocks, with deadlines of Playwright's. Pages end with their test. The Chromium is one for all tests of a process,
and ends with that: to start it costs more than most of what is done with it.

Where there is no Chromium such tests are skipped, and say what to install. With PRESENCE_BROWSER=required they
fail instead. PRESENCE_CHROMIUM names another executable. With PRESENCE_SCREENSHOTS=DIRECTORY the screenshots are kept there.
"""

import atexit
import os
import shutil
from functools import cache
from pathlib import Path

from twisted.trial.unittest import SkipTest

#: What a Chromium is called; the first that is there is taken. The one that has no windows needs the least: to show a page
#: costs it 2 s of CPU where the others take 3.5.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")

#: How long a page may take to do something, in seconds, on a machine that is busy with other things.
DEADLINE = 90.0

#: The windows of the screenshots: a desk, and a phone (width and height in CSS pixels).
WIDE = (1280, 800)
NARROW = (360, 740)

FLAGS = (
    # Chromium's own sandbox refuses to work for root; what is looked at here is ours
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def executable():
    """The path of Chromium; None where there is none."""
    named = os.environ.get("PRESENCE_CHROMIUM")
    return next(filter(None, map(shutil.which, [named] if named else NAMES)), None)


def checkBrowser():
    """The path of Chromium. Where something is missing: SkipTest; AssertionError if a browser is required."""
    found = executable()
    missing = [] if found else ["Chromium is missing (Debian: apt-get install chromium)"]
    try:
        import playwright.sync_api  # noqa: F401, PLC0415
    except ImportError:
        missing.append("Playwright is missing (pip install -e '.[test]')")
    if not missing:
        return found
    why = f"no browser to test with: {' and '.join(missing)}"
    if os.environ.get("PRESENCE_BROWSER") == "required":
        raise AssertionError(f"{why}; PRESENCE_BROWSER=required forbids to skip the test")
    raise SkipTest(why)


@cache
def playwright():
    """Playwright, started once in a process."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (it is not needed for anything else)

    started = sync_playwright().start()
    atexit.register(started.stop)
    return started


#: The Chromiums of this process, by the flags of their own.
_chromiums = {}


def _chromium(*flags):
    running = _chromiums.get(flags)
    if running is None or not running.is_connected():
        running = playwright().chromium.launch(executable_path=executable(), args=[*FLAGS, *flags])
        atexit.register(running.close)
        _chromiums[flags] = running
    return running


class Browser:
    """A Chromium without a window, for the test `case`; `flags` are more of its own. `problems` is what went wrong on
    its pages so far.
    """

    def __init__(self, case, *flags):
        checkBrowser()
        self._case = case
        self._chromium = _chromium(*flags)
        self.problems = []

    @property
    def version(self):
        """The version of Chromium."""
        return self._chromium.version

    def open(self, url=None, *, scheme="light", size=WIDE, **options):
        """A page in a profile of its own: no cookies, nothing cached. It shows `url`, unless that is None.

        `scheme` is "light" or "dark", what the user of the system prefers; `options` are those of
        Playwright's `new_context`.
        """
        width, height = size
        context = self._chromium.new_context(
            color_scheme=scheme,
            viewport={"width": width, "height": height},
            # a service worker of an earlier page would answer for the server
            service_workers="block",
            **options,
        )
        self._case.addCleanup(context.close)
        context.set_default_timeout(DEADLINE * 1000)
        page = context.new_page()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"uncaught: {error}"))
        page.on("requestfailed", self._request_failed)
        if url is not None:
            page.goto(url)
        return page

    def assertQuiet(self):
        """Nothing went wrong on any page so far."""
        self._case.assertEqual(self.problems, [])

    def look(self, page, name):
        """Screenshots of the page as it is now, light and dark, wide and narrow; their paths. Fails when
        something is wider than the window: nobody scrolls to the right on a phone.
        """
        directory = Path(os.environ.get("PRESENCE_SCREENSHOTS") or self._case.mktemp())
        directory.mkdir(parents=True, exist_ok=True)
        before = page.viewport_size
        paths = []
        for width, (columns, rows) in (("wide", WIDE), ("narrow", NARROW)):
            page.set_viewport_size({"width": columns, "height": rows})
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                paths.append(directory / f"{name}-{scheme}-{width}.png")
                page.screenshot(path=paths[-1], full_page=True, animations="disabled")
            excess = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            self._case.assertLessEqual(excess, 0, f"{name}, {width}: {excess} pixels too wide")
        page.set_viewport_size(before)
        return paths

    def _console(self, message):
        if message.type in {"error", "warning"}:
            where = message.location.get("url", "")
            self.problems.append(f"{message.type}: {message.text} ({where})")

    def _request_failed(self, request):
        # a stream of events, or whatever else was under way, ends when its page does
        if request.failure != "net::ERR_ABORTED":
            self.problems.append(f"failed: {request.url}: {request.failure}")
