"""The commands of the pages, at a real stock master, in the order in which they stand there: as somebody would type them.

What begins with `presence` is run in this process, which saves the start of sixty interpreters; all else, and what executes
a master.cfg, by a shell.
"""

import contextlib
import io
import os
import re
import shlex
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from presence.commands.main import main
from tests.integration.farm import PASSWORD
from tests.integration.processes import BUILDBOT, BUILDBOT_WORKER, DEADLINE
from tests.integration.test_admin import COMMAND, USERS, AdminTestCase
from tests.test_docs import PAGES

# A block of code: its indentation, its kind and its lines.
BLOCK = re.compile(r"^( *)\.\. code-block:: (\w+)\n\n((?:(?:\1    .*)?\n)+)", re.MULTILINE)
# Where README has them, outside of what it shows,
SHOWN = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
README_LINE = re.compile(r"^ {4}(\S.*)$", re.MULTILINE)
# and the pages that have them in their sentences, up to these words.
SENTENCES = {"adopting": "Tried on a stock", "migrating": "5. A quarantine"}
INLINE = re.compile(r"`((?:presence|buildbot|buildbot-worker|pip) [^`]*)`")
# What is typed, after the prompt (and after the time on the watch).
TYPED = re.compile(r"^ *(?:\[[ \d]+ s\] )?\$ (.+)$", re.MULTILINE)
CONTINUED = re.compile(r" *\\\n *")

# What the pages leave to the reader.
MEANT = {
    "--builder-only nightly": "--builder-only any",
    "MASTERDIR": "master",
    "WORKERDIR": "worker",
    "NAME": "mac-mini",
    "/srv/master": "master",
    "/srv/buildmaster": "master",
    "office.ics": str(Path(__file__).parents[1] / "breaks/calendars/google.ics"),
    "host-7": "mac-mini",
    "~/master": "master",
    "~/worker": "worker",
    "vm-7": "worker",
    "--builder runtests": "--builder any",
    "why runtests": "why any",
}

# What is not run, and why.
NOT_RUN = {
    "pip ": "it is installed already, and from no index",
    "make ": "it is what runs this, and the demo (tests/integration/test_demo.py)",
    "… ": "it is what the reader does meanwhile",
    "sudo ": "it is another account's, or the machine's (tests/commands/owner)",
    "curl -N": "it follows until Ctrl-C, too (test_api)",
    "presence watch": "it follows until Ctrl-C (tests/integration/test_admin.py)",
    "presence log mac-mini --follow": "so does this (tests/commands/master/test_log.py)",
}

STOCK = [f'worker.Worker("{name}", PASSWORD)' for name in ("mac-mini", "mac-pro", "aarch64")]

RULES = f"""
c["www"]["auth"] = util.UserPasswordAuth({USERS!r})
c["www"]["authz"] = util.Authz(
    allowRules=[util.AnyControlEndpointMatcher(role="admins")],
    roleMatchers=[util.RolesFromUsername(roles=["admins"], usernames=["ann", "zabbix"]), util.RolesFromGroups()],
)
"""
ENABLED = 'import presence\npresence.enable(c, operator="admins")\n'
TRAIL = ENABLED.replace("operator", "trail=True, operator")

# Whoever is left behind, because this process was killed, ends by itself.
TAC = "\nfrom twisted.internet import reactor\nreactor.callLater(600, reactor.stop)\n"


class PagesTests(AdminTestCase):
    def setUp(self):
        self.start(*STOCK)
        self.meant = {
            **MEANT,
            # the number on the page of what waits here for a worker that never connects
            "4711": str(self.farm.force("aarch64").number),
            **dict.fromkeys(("http://localhost:8010", "https://farm.example"), self.url.rstrip("/")),
            # what is to come where the page stands
            "1795424400": str(int(time.time()) + 7200),
        }
        self.farm.reconfigure(*STOCK, extra=RULES)
        self.notePid()
        self.home = self.farm.directory
        workers = "/var/lib/buildbot/worker"
        self.meant.update({f"{workers}s": str(self.home), workers: str(self.home / "worker")})
        self.said = []
        programs = self.home / "bin"
        programs.mkdir()
        for name, code in (
            ("buildbot", BUILDBOT),
            ("buildbot-worker", BUILDBOT_WORKER),
            ("presence", COMMAND),
        ):
            (programs / name).write_text(f"#!/bin/sh\nexec {sys.executable} -c '{code}' \"$@\"\n")
            (programs / name).chmod(0o755)
        self.environ = {
            "HOME": str(self.home),
            "PATH": f"{programs}:/usr/bin:/bin",
            "PRESENCE_URL": self.url,
            "PRESENCE_USER": "ann",
            "PRESENCE_PASSWORD": USERS["ann"],
        }
        (self.home / "farm").symlink_to("master")
        self.shell(
            f"buildbot-worker create-worker -q worker 127.0.0.1:{self.farm.ports['pb']} mac-mini {PASSWORD}"
        )
        with (self.home / "worker/buildbot.tac").open("a") as tac:
            tac.write(TAC)
        self.addCleanup(self.killWorker)
        self.shell("buildbot-worker start worker")

    def notePid(self):
        """A master in the foreground does not tell `buildbot reconfig` who it is."""
        (self.farm.master.directory / "twistd.pid").write_text(str(self.farm.master.pid))

    def killWorker(self):
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((self.home / "worker/twistd.pid").read_text()), signal.SIGKILL)

    # --- typing

    def shell(self, line, status=0):
        done = subprocess.run(
            ["/bin/sh", "-c", line],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.home,
            env=self.environ,
            timeout=DEADLINE,
            check=False,
        )
        self.assertEqual(done.returncode, status, f"{line}: {done.stdout}\n{self.farm.master.tail()}")
        if "buildbot reconfig" in line:  # which ends well also where it has not
            self.assertIn("completed successfully", done.stdout)
        return done.stdout

    def presence(self, line, directory="."):
        out, err = io.StringIO(), io.StringIO()
        before = Path.cwd()
        self.patch(os, "environ", dict(self.environ))
        os.chdir(self.home / directory)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                status = main(shlex.split(line, comments=True)[1:])
        except SystemExit as end:
            status = end.code
        finally:
            os.chdir(before)
        self.assertEqual(status, 0, f"{line}: {out.getvalue()}{err.getvalue()}\n{self.farm.master.tail()}")
        return out.getvalue()

    def type(self, line):
        """Type a line of a page; what it prints."""
        for word, meant in self.meant.items():
            line = line.replace(word, meant)
        if line.startswith(tuple(NOT_RUN)):
            return ""
        self.said.append(line)
        if line.startswith("curl "):
            said = self.shell(f"{line.strip()} --silent --show-error")
            self.assertIn('"result"', said, line)
            return said
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").partition("=")
            # the pages name a master that is not there
            if name == "PRESENCE_TOKEN":
                # either one
                del self.environ["PRESENCE_USER"], self.environ["PRESENCE_PASSWORD"]
            self.environ[name] = self.url if name == "PRESENCE_URL" else self.shell(f'printf %s "{value}"')
            return ""
        if re.match(r"presence (away|back|status|work|stop)( |$)", line):
            return self.presence(line, "worker")
        there = re.match(r"cd (\S+); (presence .*)", line)
        if there:
            return self.presence(there[2], there[1])
        return (
            self.presence(line)
            if re.match(r"presence (?!breaks [^-]|doctor|roll)[^&]*$", line)
            else self.shell(line)
        )

    def page(self, name, *, extra=ENABLED, rules=RULES):
        """Type everything on a page, at a master with this at the end of its master.cfg; how many lines that is."""
        self.farm.reconfigure(*STOCK, extra=rules + extra)
        text = PAGES[name].read_text("utf-8")
        before = len(self.said)
        sentences = text.partition(SENTENCES[name])[0] if name in SENTENCES else ""
        found = [*INLINE.finditer(sentences), *BLOCK.finditer(text)]
        for each in sorted(found, key=re.Match.start):
            if each.re is INLINE:
                self.type(each[1])
                continue
            block = textwrap.dedent(each[3])
            if each[2] == "python" and block.startswith("import presence\n"):
                self.farm.configure(*STOCK, extra=f"{RULES}{block}")
            elif each[2] in {"console", "text"}:
                self.block(block)
            elif each[2] == "sh":
                self.type(block)
        self.environ.pop("PRESENCE_BASEDIR", None)
        return len(self.said) - before

    def block(self, block):
        wrong = "Configuration Errors:" in block
        if wrong:
            self.farm.configure(
                'worker.BuildSlave("mac-mini", PASSWORD, onBreakDuring=("07:00", "7 o clock"))'
            )
        for line in TYPED.findall(CONTINUED.sub(" ", block)):
            if wrong:
                self.assertIn("BuildSlave 'mac-mini': onBreakDuring=", self.shell(line, status=1))
                self.farm.configure(*STOCK, extra=RULES + ENABLED)
                continue
            said = self.type(line)
            if "token make" in line:
                (self.home / "token").write_text(said)
                self.environ["TOKEN"] = said.strip()
            elif "stop-master" in line:
                self.farm.waitFor("the master has stopped", lambda: not self.farm.master.running)
                self.farm.start()
                self.notePid()

    # --- the pages

    def test_everyCommand(self):
        """Every command of every page does what it is there for, one after the other, at one master."""
        lines = README_LINE.findall(SHOWN.sub("", PAGES["README"].read_text("utf-8")))
        self.assertGreater(len(lines), 7)
        for line in lines:
            self.type(line)
        self.assertIn("held by its owner (rendering)", self.presence("presence workers mac-mini"))
        self.presence("presence back", "worker")
        self.presence("presence uninstall worker")
        self.assertGreater(self.page("tutorial", extra=""), 4)
        self.assertGreater(self.page("adopting", extra=""), 14)
        self.assertGreater(self.page("migrating"), 2)
        self.presence("presence release mac-mini")
        self.presence("presence back", "worker")
        self.presence("presence uninstall worker")
        self.assertGreater(self.page("owner"), 9)
        self.presence("presence back", "worker")
        self.assertGreater(self.page("admin"), 5)
        self.assertGreater(self.page("drain"), 1)
        self.assertGreater(self.page("reconfig"), 1)
        self.assertGreater(self.page("stopping"), 0)
        self.assertGreater(self.page("breaks"), 7)
        self.assertGreater(self.page("conditions"), 2)
        self.assertGreater(self.page("trail", extra=TRAIL), 2)
        self.assertGreater(self.page("operator"), 10)
        # (last: on a machine that is in use its worker is away from then on)
        self.assertGreater(self.page("sensors"), 3)

    def test_rolling(self):
        """So do those of rolling maintenance; its `ssh` restarts the worker as a reboot does, or fails."""
        ssh = self.home / "bin/ssh"
        ssh.write_text(
            "#!/bin/sh\ntest ! -e broken || exit 7\nbuildbot-worker stop worker\nsleep 2\nbuildbot-worker start worker\nexit 255\n"
        )
        ssh.chmod(0o755)
        self.meant.update({"'mac-*'": "mac-mini", "mac-4": "mac-mini"})
        self.farm.reconfigure(*STOCK, extra=RULES + ENABLED)
        first, again, without = TYPED.findall(PAGES["rolling"].read_text("utf-8"))
        self.assertIn(
            "mac-mini: done, 1 of 1",
            self.type(f"{first.replace('roll ', 'roll --settle 1s --back-within 1m ', 1)}"),
        )
        for line in (again, without):
            (self.home / "broken").touch()
            failed = self.type(
                f"{first.replace('roll ', 'roll --settle 1s --back-within 1m ', 1)} || test $? = 3"
            )
            self.assertIn("exit status 7", failed)
            (self.home / "broken").unlink()
            self.type(line)
            self.type("presence release mac-mini")

    def test_api(self):
        """And what is sent to the API with curl, by anybody where there are no rules, and its events."""
        (line,) = TYPED.findall(PAGES["rest"].read_text("utf-8"))
        heard = self.home / "heard"
        with heard.open("wb") as out:
            listening = subprocess.Popen(
                shlex.split(line.replace("http://localhost:8010/", self.url)),
                stdout=out,
                stderr=subprocess.DEVNULL,
            )
        self.addCleanup(listening.wait)
        self.addCleanup(listening.kill)
        self.assertEqual(self.page("rest", rules=""), 2)
        self.farm.waitFor("the hold is told", lambda: "audit" in heard.read_text())
        extra = textwrap.dedent(BLOCK.search(PAGES["metrics"].read_text("utf-8"))[3])
        self.farm.reconfigure(*STOCK, extra=extra)
        self.assertIn("presence_workers{", self.shell(f"curl -s {self.url}api/v2/presencemetrics"))

    def test_all(self):
        """No page has commands that no test types."""
        typed = {
            name
            for name, path in PAGES.items()
            if TYPED.search(text := path.read_text("utf-8"))
            or any(each[2] in {"sh", "shell", "console"} for each in BLOCK.finditer(text))
        }
        tests = Path(__file__).read_text("utf-8")
        tested = {*re.findall(r'self\.page\("(\w+)"', tests), *re.findall(r'PAGES\["(\w+)"\]', tests)}
        # (its recipe is what the rig of tests/masters does)
        self.assertEqual(typed - tested, {"masters"})
