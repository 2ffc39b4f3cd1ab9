"""The scripts of the pages, without a browser: by node (Debian: `apt-get install nodejs`), which has a runner of tests."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

import presence
from presence.words.pages import pageModules

ROOT = Path(presence.__file__).parent
TESTS = Path(__file__).parent / "pages"

# The first that runs tests of this kind.
OLDEST = 20

# How long all of them may take, in seconds: what goes on by itself (a websocket that nobody has ended) goes on for ever.
LONGEST = 120.0


class PageScriptTests(SynchronousTestCase):
    def setUp(self):
        self.node = shutil.which("node")
        if self.node is None:
            raise SkipTest("there is no node here: the scripts of the pages are not tested without a browser")
        said = subprocess.run([self.node, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
        if int(said.strip().lstrip("v").split(".")[0]) < OLDEST:
            raise SkipTest(
                f"node {said.strip()} is older than {OLDEST}: the scripts of the pages are not tested"
            )

    def test_scripts(self):
        """What is said in tests/pages holds, in the folder as a server of the page would give it."""
        folder = Path(tempfile.mkdtemp(prefix="presence-pages-"))
        self.addCleanup(shutil.rmtree, folder)
        shutil.copytree(ROOT / "master/www/static", folder, dirs_exist_ok=True)
        shutil.copytree(TESTS, folder, dirs_exist_ok=True)
        for name, content in pageModules().items():
            (folder / name).write_bytes(content)
        (folder / "package.json").write_text('{"type": "module"}')
        names = sorted(each.name for each in TESTS.glob("*.test.js"))
        self.assertNotEqual(names, [])
        done = subprocess.run(
            [self.node, "--import", "./stage.js", "--test", "--test-reporter=tap", *names],
            cwd=folder,
            env={**os.environ, "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=LONGEST,
        )
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("# fail 0", done.stdout)
