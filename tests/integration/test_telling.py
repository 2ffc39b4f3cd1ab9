"""Who has to know, with real parts: a mail server, a chat's webhook, Prometheus, a shell and a browser beside one real master."""

import email
import email.policy
import json
import os
import re
import shutil
import stat
import subprocess
import tempfile
from html import escape
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

from twisted.trial.unittest import SkipTest

from presence.master.trail.store import FILENAME
from tests.integration.browser import executable
from tests.integration.pagecase import ARM, PLUGIN, PageTestCase
from tests.integration.ports import freePort
from tests.integration.processes import DEADLINE, waitFor

HERE = Path(__file__).parent.parent.parent

MAC = 'worker.BuildSlave(name="mac-mini", passwd=PASSWORD, owners=["ann@example.org"])'

SERVICES = """
from buildbot.plugins import reporters
c["services"] = [
    util.PresenceService(trail=True, metrics=True, groups={{"office": ["*"]}}),
    reporters.MailNotifier(
        fromaddr="buildbot@example.org",
        relayhost="127.0.0.1",
        smtpPort={smtp},
        generators=[
            util.PresenceGenerator(
                drains=True, backEarly=True, message_formatter=util.PresenceMessageFormatter(template_type="html")
            )
        ],
    ),
    reporters.HttpStatusPush(
        "http://127.0.0.1:{chat}/hook",
        generators=[
            util.PresenceGenerator(
                drains=True, owners=False, message_formatter=util.PresenceMessageFormatter(template_type="chat")
            )
        ],
    ),
]
"""

# How a mail program may look.
LOOK = """<!doctype html>
<style>body { font: 16px/1.5 sans-serif; margin: 0; padding: 1rem } th { padding-right: 1rem; text-align: left }</style>
"""

# Ends the program when its standard input is closed: by whoever started it, or by that one's end.
GUARD = '"$@" < /dev/null & server=$!; cat > /dev/null; kill $server; wait $server'

SCRAPE = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: buildbot
    metrics_path: /api/v2/presencemetrics
    static_configs: [{{targets: ["127.0.0.1:{www}"]}}]
"""


class Inbox:
    """What `aiosmtpd` has received: (recipients, message)."""

    def __init__(self, case):
        try:
            from aiosmtpd.controller import Controller  # noqa: PLC0415 (it may be missing)
        except ImportError:
            raise SkipTest("there is no aiosmtpd: pip install -e .[test]") from None
        self.received = []
        self.port = freePort()
        controller = Controller(self, hostname="127.0.0.1", port=self.port)
        controller.start()
        case.addCleanup(controller.stop)

    async def handle_DATA(self, _server, _session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.received.append((envelope.rcpt_tos, message))
        return "250 OK"


class Webhook(BaseHTTPRequestHandler):
    """What a chat has for others: it keeps what is sent to it, as JSON."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, self.headers["Content-Type"], json.loads(body)))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *what):
        pass

    @classmethod
    def serve(cls, case):
        server = HTTPServer(("127.0.0.1", 0), cls)
        server.received = []
        thread = Thread(target=server.serve_forever)
        thread.start()
        for each in (server.server_close, thread.join, server.shutdown):
            case.addCleanup(each)
        return server


class Prometheus:
    """A real one, which reads the metrics of a farm every second."""

    def __init__(self, case, farm):
        self.url = f"http://127.0.0.1:{freePort()}"
        directory = Path(tempfile.mkdtemp(prefix="presence-prometheus-"))
        case.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        (directory / "prometheus.yml").write_text(SCRAPE.format(www=farm.www))
        arguments = [
            f"--config.file={directory / 'prometheus.yml'}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address={self.url.removeprefix('http://')}",
        ]
        self.log = directory / "log"
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                ["/bin/sh", "-c", GUARD, "sh", "prometheus", *arguments],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        case.addCleanup(process.wait, DEADLINE)
        case.addCleanup(process.stdin.close)
        self._open = build_opener(ProxyHandler({})).open

    def query(self, expression):
        """What it answers to a query: a list; None while it does not."""
        try:
            with self._open(
                f"{self.url}/api/v1/query?{urlencode({'query': expression})}", timeout=DEADLINE
            ) as answer:
                found = json.load(answer)
        except OSError as problem:
            if getattr(problem, "code", None) == 400:
                raise AssertionError(f"{expression}: {problem.read()}") from None
            return None
        assert found["status"] == "success", found
        return found["data"]["result"]


class TellingTests(PageTestCase):
    def begin(self):
        self.inbox = Inbox(self)
        self.chat = Webhook.serve(self)
        services = SERVICES.format(smtp=self.inbox.port, chat=self.chat.server_port)
        self.browser = None
        if executable() is None:
            from tests.integration.farm import Farm  # noqa: PLC0415

            self.farm = Farm(self)
            self.farm.configure(MAC, ARM, extra=PLUGIN + services)
            self.farm.start()
            self.url = f"http://127.0.0.1:{self.farm.www}/"
        else:
            self.start(MAC, ARM, extra=services)

    def test_all(self):
        """A drain and a hold of an admin's: the owner gets a mail, the channel hears of it, the trail has it in the shell and on the worker's page, and
        Prometheus has counted it; every query of the dashboard is one that it takes.
        """
        self.begin()
        # (it starts while the others have their turns)
        prometheus = shutil.which("prometheus") and Prometheus(self, self.farm)
        self.farm.worker("mac-mini").start().waitUntilConnected()
        self.shell("drain", "mac-mini", "--reason", "new disk")
        self.shell("hold", "aarch64", "--for", "2h", "--reason", "kernel")
        self.checkMail()
        self.checkChat()
        self.checkTrail()
        if self.browser is not None:
            self.checkPage()
        if not prometheus:
            raise SkipTest(
                "there is no prometheus here (Debian: apt-get install prometheus): its part is skipped"
            )
        self.checkPrometheus(prometheus)

    def checkMail(self):
        ((to, message),) = waitFor("the owner gets a mail", lambda: self.inbox.received)
        self.assertEqual(to, ["ann@example.org"])
        self.assertEqual(message["Subject"], "mac-mini is drained: nothing runs on it any more")
        # (as of workers that are missing, Buildbot says the recipients to the server only)
        self.assertEqual(message["From"], "buildbot@example.org")
        self.assertEqual(message.get_content_type(), "text/html")
        self.assertIn("#/presence?view=worker&amp;worker=mac-mini", message.get_content())
        if self.browser is not None:
            self.checkLook(message, to)

    def checkChat(self):
        ((path, kind, body),) = waitFor("the channel hears of it", lambda: self.chat.received)
        self.assertEqual((path, kind), ("/hook", "application/json"))
        self.assertEqual(list(body), ["text"])
        self.assertIn("* mac-mini is drained: nothing runs on it any more", body["text"])
        self.assertIn("#/presence?view=worker&worker=mac-mini", body["text"])

    def checkLook(self, message, to):
        """What a mail program shows of it: what has happened, with a link to our page of the worker."""
        heads = {"From": message["From"], "To": ", ".join(to), "Subject": message["Subject"]}
        rows = "".join(f"<tr><th>{name}<td>{escape(text)}" for name, text in heads.items())
        page = self.browser.open(size=(720, 320))
        page.set_content(f"{LOOK}<table>{rows}</table><hr>{message.get_content()}")
        link = page.get_by_role("listitem").get_by_role("link", name=message["Subject"])
        self.assertTrue(link.get_attribute("href").endswith("#/presence?view=worker&worker=mac-mini"))
        if directory := os.environ.get("PRESENCE_SCREENSHOTS"):
            page.locator("body").screenshot(path=Path(directory) / "notice.png")

    def checkTrail(self):
        lines = self.shell("log").splitlines()
        told = [re.sub(r"^\S+ \S+  ", "", line) for line in lines]
        self.assertIn("mac-mini: drain by anonymous (new disk)", told)
        self.assertIn("mac-mini: drained by anonymous (new disk)", told)
        (hold,) = [line for line in told if line.startswith("aarch64: hold")]
        self.assertRegex(hold, r"^aarch64: hold by anonymous \(kernel\), until (tomorrow )?\d\d:\d\d$")
        self.assertEqual(len(self.shell("log", "aarch64", "--json", "--since", "1h").splitlines()), 1)
        file = self.farm.master.directory / FILENAME
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)

    def checkPage(self):
        page = self.open("presence?view=worker&worker=mac-mini")
        log = page.locator(".presence-happened")
        log.get_by_text("drain by anonymous (new disk)").wait_for()
        self.browser.assertQuiet()

    def checkPrometheus(self, prometheus):
        dashboard = json.loads((HERE / "docs/grafana-dashboard.json").read_text())
        queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
        text = (HERE / "docs/metrics.rst").read_text()
        named = set(re.findall(r"``(presence_\w+)``", text)) - {"presence_event_lag_seconds"}

        def scraped():
            found = prometheus.query("presence_worker_seconds_total")
            return found and len(found) > 1

        waitFor("prometheus reads the metrics", scraped)
        for query in queries:
            self.assertIsNot(prometheus.query(query), None, query)
        (drains,) = prometheus.query('presence_orders_total{order="drain", outcome="done"}')
        self.assertEqual(drains["value"][1], "1")
        away = {
            each["metric"]["source"]: each["value"][1]
            for each in prometheus.query('presence_workers{state="away"}')
        }
        self.assertEqual(away, {"admin": "1", "offline": "1"})
        (group,) = prometheus.query('presence_group_workers{group="office", state="away"}')
        self.assertEqual(group["value"][1], "2")
        for name in named - {"presence_requests_waiting"}:
            self.assertTrue(prometheus.query(name), name)
