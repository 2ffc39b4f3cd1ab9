"""A page of a Chromium that Playwright leaves alone while something is measured.

Whoever watches a page is told of each message of its websocket: 1 500 of them, at an order for 500 workers, take the browser as
long as all that the page does with them. Whoever uses a page is told of none.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from tests.integration.browser import DEADLINE, FLAGS, WIDE, executable, playwright
from tests.integration.processes import waitFor


class UnwatchedPage:
    """One page, which lives until `case` is cleaned up."""

    def __init__(self, case):
        folder = Path(tempfile.mkdtemp(prefix="presence-chromium-"))
        case.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        width, height = WIDE
        flags = [
            f"--user-data-dir={folder}",
            f"--window-size={width},{height}",
            "--headless",
            "--remote-debugging-port=0",
        ]
        chromium = subprocess.Popen(
            [executable(), *FLAGS, *flags, "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        # (what is called so may be a script, which the browser outlives)
        case.addCleanup(chromium.wait)
        case.addCleanup(os.killpg, chromium.pid, signal.SIGKILL)
        port = folder / "DevToolsActivePort"
        waitFor("Chromium listens", lambda: port.exists() and "\n" in port.read_text(), DEADLINE)
        self._url = f"http://127.0.0.1:{port.read_text().split()[0]}"

    @contextmanager
    def watched(self):
        """The page, as Playwright has it, for a while."""
        browser = playwright().chromium.connect_over_cdp(self._url)
        try:
            [context] = browser.contexts
            context.set_default_timeout(DEADLINE * 1000)
            yield context.pages[0]
        finally:
            # (the browser and its page go on)
            browser.close()
