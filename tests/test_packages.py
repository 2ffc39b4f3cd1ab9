"""What is published: the text for a package index, and what is in the source."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.rooms import imports

ROOT = Path(__file__).parents[1]

LINKS = re.compile(r"\]\(([^)]*)\)")


def described(**environ):
    """The long description that setup.py makes."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "setup.py", "--quiet", "--long-description"],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    return done.stdout


def modulesOf(*names):
    """{name: path} of the modules of tests in these packages and modules."""
    found = {}
    for path in sorted((ROOT / "tests").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        if any(f"{name}.".startswith(f"{each}.") for each in names):
            found[name] = path
    return found


class MakeTests(SynchronousTestCase):
    def setUp(self):
        if not (ROOT / "Makefile").exists() or shutil.which("make") is None:
            raise SkipTest("this is an installation, or there is no make here")

    def given(self, *targets):
        """The modules and packages of tests that these targets of make run, as often as they run them."""
        lines = subprocess.run(
            ["make", "--dry-run", "--always-make", *targets],
            cwd=ROOT,
            env={**os.environ, "MAKEFLAGS": ""},
            stdout=subprocess.PIPE,
            encoding="utf-8",
            timeout=60,
            check=True,
        ).stdout
        return re.findall(r"(?<![\w.])tests\.[\w.]+", "\n".join(re.findall(r".*twisted\.trial.*", lines)))

    def test_floors(self):
        """What is run at each save needs neither Buildbot nor a search, and only searches need hypothesis."""
        floors = modulesOf(*self.given("floors"))
        self.assertIn("tests.model.test_workerpresence", floors)
        heavy = {"buildbot", "buildbot_worker", "holidays"}
        for name, path in floors.items():
            for imported in imports(path):
                self.assertNotIn(imported.split(".")[0], heavy, name)
                self.assertFalse(
                    imported.startswith(("tests.searches", "tests.master", "presence.master")), name
                )
        searching = {
            name
            for name, path in modulesOf("tests").items()
            if any(i.startswith("hypothesis") for i in imports(path))
        }
        self.assertEqual(searching - modulesOf("tests.searches").keys(), set())

    def test_everyTest(self):
        """Every module of tests is run by one of the targets of .ci/run, and by one only."""
        run = (ROOT / ".ci/run").read_text(encoding="utf-8")
        targets = [
            each
            for each in re.findall(r"\bmake (\w+)$", run, re.MULTILINE)
            if each not in {"search", "torture"}
        ]
        given = self.given(*targets)
        for path in (ROOT / "tests").rglob("test_*.py"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            runs = [each for each in given if f"{name}.".startswith(f"{each}.")]
            self.assertEqual(len(runs), 1, f"{name}: {runs}")


class DescriptionTests(SynchronousTestCase):
    def setUp(self):
        if not (ROOT / "setup.py").exists():
            raise SkipTest("this is an installation, not the source")

    def test_links(self):
        """Every link and every picture of the README leads to a file that is there."""
        for target in LINKS.findall((ROOT / "README.md").read_text(encoding="utf-8")):
            if not target.startswith("http"):
                self.assertTrue((ROOT / target.partition("#")[0]).exists(), target)

    def test_onAnIndex(self):
        """On a package index they lead into the published repository."""
        text = described(PRESENCE_REPOSITORY="https://example.org/presence/")
        targets = LINKS.findall(text)
        self.assertGreater(len(targets), 5)
        self.assertEqual([each for each in targets if not each.startswith("https://")], [])
        self.assertIn("https://example.org/presence/blob/HEAD/docs/tutorial.rst", targets)
        self.assertIn("https://example.org/presence/raw/HEAD/docs/images/page-workers.png", targets)

    def test_notPublished(self):
        """Where there is no published repository no link leads nowhere, and no word is lost."""
        text = described(PRESENCE_REPOSITORY="")
        self.assertEqual([each for each in LINKS.findall(text) if not each.startswith("https://")], [])
        self.assertIn("tutorial,", text)


class DockerfileTests(SynchronousTestCase):
    """`packaging/Dockerfile`, as far as it can be looked at without a Docker engine."""

    def setUp(self):
        if not (ROOT / "packaging").exists():
            raise SkipTest("this is an installation, not the source")
        text = (ROOT / "packaging/Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
        lines = [each for each in text.splitlines() if each and not each.startswith("#")]
        self.steps = [tuple(each.split(maxsplit=1)) for each in lines]

    def test_steps(self):
        """It begins with Buildbot's own image, of a version that is supported, and leaves start script and user to that."""
        words = [word for word, _ in self.steps]
        self.assertEqual(words, ["ARG", "FROM", "COPY", "RUN", "ENV"])
        steps = dict(self.steps)
        self.assertEqual(steps["FROM"], "docker.io/buildbot/buildbot-master:${BUILDBOT_VERSION}")
        self.assertRegex(steps["ARG"], r"^BUILDBOT_VERSION=v4\.[2-9]")

    def test_installs(self):
        """What it copies is what it installs, with the image's pip, and removes: and that can be installed."""
        steps = dict(self.steps)
        source, target = steps["COPY"].split()
        self.assertTrue((ROOT / source / "pyproject.toml").exists())
        self.assertIn(f"/buildbot_venv/bin/pip3 install --no-cache-dir {target} ", steps["RUN"])
        self.assertTrue(steps["RUN"].endswith(f"rm -r {target}"))
