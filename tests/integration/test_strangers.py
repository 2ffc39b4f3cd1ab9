"""Nobody but the owner of a machine speaks with its worker: real processes, files, addresses and users."""

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from presence.commands import exits
from presence.wire.localaddress import FILENAME, OPEN_FILENAME, LocalFile
from presence.worker.store import FILENAME as STORE
from tests.integration.farm import Farm
from tests.integration.ownerscommands import Terminal
from tests.integration.processes import DEADLINE

NOBODY = 65534

# what a browser is called with, and all that every process of the machine was called with
BROWSER = """\
import glob, json, sys
lines = []
for path in glob.glob("/proc/[0-9]*/cmdline"):
    try:
        lines.append(open(path, "rb").read().decode("latin-1"))
    except OSError:
        pass
json.dump({"argv": sys.argv[1:], "lines": lines}, open(%r, "w"))
"""


class StrangerTests(SynchronousTestCase):
    """One worker without a master for all laws: it does not need one."""

    def setUp(self):
        farm = Farm(self)
        self.owner = Terminal(self, farm.worker("mac-mini")).start()
        self.directory = self.owner.worker.directory
        self.address = LocalFile(str(self.directory)).read()

    def ask(self, path, body=None, **headers):
        """The status and the content of an answer."""
        request = Request(f"http://127.0.0.1:{self.address.port}{path}", body, headers)
        try:
            with build_opener(ProxyHandler({})).open(request, timeout=DEADLINE) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def test_browser(self):
        """`presence open` lets a browser in without a secret on any command line, in an address, or in a log; a
        code does the same by hand.
        """
        record = self.directory / "browser.json"
        script = self.directory / "browser.py"
        script.write_text(BROWSER % str(record))
        self.owner.do(exits.DONE, "open", BROWSER=f"{sys.executable} {script} %s")
        seen = json.loads(record.read_text())
        door = self.directory / OPEN_FILENAME
        self.assertEqual(seen["argv"], [door.as_uri()])
        self.assertEqual(stat.S_IMODE(door.stat().st_mode), 0o600)
        ticket = door.read_text().partition('name="ticket" value="')[2].partition('"')[0]
        self.assertEqual(len(ticket), 19)
        status, page = self.ask("/enter", urlencode({"ticket": ticket}).encode(), Origin="null")
        self.assertEqual((status, door.exists()), (200, False))
        session = page.partition('name="presence-session" content="')[2].partition('"')[0]
        self.assertEqual(self.ask("/api/status", Authorization=f"Bearer {session}")[0], 200)
        said = self.owner.do(exits.DONE, "open", "--no-browser")
        code = said.split()[-1]
        self.assertEqual(self.ask("/enter", urlencode({"ticket": code}).encode())[0], 200)
        log = self.owner.worker.log
        output = (self.directory / "output").read_text()
        for secret in (self.address.token, ticket, session, code):
            for text in (*seen["lines"], log, output, (self.directory / "buildbot.tac").read_text()):
                self.assertNotIn(secret, text)

    def test_noBrowser(self):
        """Where no browser can be started the code is printed, and is the one that counts."""
        said = self.owner.do(
            exits.DONE, "open", BROWSER=str(self.directory / "none"), PATH="/none", DISPLAY=""
        )
        code = said.split()[-1]
        self.assertEqual(self.ask("/enter", urlencode({"ticket": code}).encode())[0], 200)

    def test_otherUser(self):
        """Another user of the machine can read none of the files, and is told who can; without the token he
        gets nothing.
        """
        if os.geteuid() != 0:
            raise SkipTest("only root can become another user")
        self.owner.do(exits.NOT_TOLD, "away", "--reason", "rendering")
        (self.directory / OPEN_FILENAME).touch(0o600)
        for path in (self.directory.parent, self.directory):
            path.chmod(0o755)
        for name in (FILENAME, STORE):
            path = self.directory / name
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
            done = subprocess.run(
                ["cat", str(path)],
                user=NOBODY,
                group=NOBODY,
                extra_groups=[],
                capture_output=True,
                check=False,
            )
            self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertEqual(as_nobody(self.directory), "LocalFileError")
        for path in ("/api/status", "/api/events"):
            self.assertEqual(self.ask(path)[0], 401)
        for order in ("away", "back", "work", "stop", "ticket"):
            self.assertEqual(self.ask(f"/api/{order}", b"{}")[0], 401)
        self.assertEqual(self.owner.sources(), ["worker"])

    def test_otherHost(self):
        """The port is bound to 127.0.0.1 only: no other address of this machine answers."""
        lines = (
            Path("/proc/net/tcp").read_text().splitlines() + Path("/proc/net/tcp6").read_text().splitlines()
        )
        port = f":{self.address.port:04X}"
        # 0A: it listens
        listening = [line.split()[1] for line in lines if port in line.split()[1] and line.split()[3] == "0A"]
        self.assertEqual(listening, [f"0100007F{port}"])
        addresses = {"127.0.0.2", *(each[4][0] for each in socket.getaddrinfo(socket.gethostname(), None))}
        for address in addresses - {"127.0.0.1"}:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            with socket.socket(family) as probe:
                probe.settimeout(DEADLINE)
                self.assertNotEqual(probe.connect_ex((address, self.address.port)), 0, address)

    def test_otherName(self):
        """A request under another name gets nothing, with the token either."""
        authorization = f"Bearer {self.address.token}"
        self.assertEqual(self.ask("/api/status", Authorization=authorization)[0], 200)
        self.assertEqual(self.ask("/api/status", Authorization=authorization, Host="evil.example")[0], 403)

    def test_killed(self):
        """The token of a worker that was killed opens nothing at the one that is started next."""
        self.owner.worker.kill()
        self.owner.start()
        before, self.address = self.address, LocalFile(str(self.directory)).read()
        self.assertEqual(self.ask("/api/status", Authorization=f"Bearer {before.token}")[0], 401)
        self.assertEqual(self.ask("/api/status", Authorization=f"Bearer {self.address.token}")[0], 200)


def as_nobody(directory):
    """The name of the error that another user gets who reads the file of the worker."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            try:
                LocalFile(str(directory)).read()
                said = "nothing"
            except Exception as error:  # noqa: BLE001
                said = type(error).__name__
            os.write(write, said.encode())
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read) as file:
        return file.read()
