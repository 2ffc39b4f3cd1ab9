"""Answers that are cut off, over real sockets: questions are asked again, orders are not."""

import io
import json
import os
import socketserver
import threading
from base64 import b64encode
from contextlib import redirect_stderr
from http.server import BaseHTTPRequestHandler

from twisted.trial.unittest import SynchronousTestCase

from presence.commands import http
from presence.commands.master.client import MasterClient, NoAnswerError

ANSWER = json.dumps({"presences": [{"name": "mac-mini"}], "meta": {}}).encode()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class CutOffTests(SynchronousTestCase):
    def setUp(self):
        self.patch(http, "_PATIENCES", (0.5, 0.5, 5.0))
        self.patch(http, "_STALL", 0.5)
        #: how each answer goes: whole, short (it never ends), closed (it ends too early), silent (it never begins), gone (there is none)
        self.ways = []
        self.asked = []
        self.over = threading.Event()
        case = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_arguments):
                """Say nothing."""

            def do_GET(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                case.asked.append(self.command)
                way = case.ways.pop(0) if case.ways else "whole"
                if way not in ("silent", "gone"):
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(ANSWER)))
                    self.end_headers()
                    self.wfile.write(ANSWER if way == "whole" else ANSWER[:20])
                    self.wfile.flush()
                if way in ("short", "silent"):
                    case.over.wait(30)
                self.close_connection = way != "whole"

            do_POST = do_GET

        server = _Server(("127.0.0.1", 0), Handler)
        self.addCleanup(server.server_close)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        self.addCleanup(server.shutdown)
        self.addCleanup(self.over.set)
        self.client = MasterClient(
            f"http://127.0.0.1:{server.server_address[1]}/", lambda _host, *, ask: None
        )
        self.addCleanup(self.client.close)

    def test_question(self):
        """A question whose answer is cut off, in whatever way, is asked again, and that is said."""
        for way in ("short", "closed", "silent"):
            self.asked.clear()
            self.ways = ["whole", way, "whole"]
            err = io.StringIO()
            with redirect_stderr(err):
                for _ in range(2):
                    self.assertEqual(self.client.get("presences"), [{"name": "mac-mini"}])
            self.assertEqual(self.asked, ["GET"] * 3, way)
            self.assertIn("has not answered to the end; it is asked again", err.getvalue())

    def test_givesUp(self):
        """It is asked three times, and then there is no answer."""
        self.ways = ["closed"] * 5
        with redirect_stderr(io.StringIO()):
            self.assertRaises(NoAnswerError, self.client.get, "presences")
        self.assertEqual(self.asked, ["GET"] * 3)

    def test_order(self):
        """An order is given once, also on a connection that others have used before, however its answer ends."""
        for way in ("closed", "silent", "gone"):
            self.client.get("presences")
            self.asked.clear()
            self.ways = [way]
            self.patch(http, "PATIENCE", 1.0)
            self.assertRaises(NoAnswerError, self.client.post, "presences/mac-mini", "hold")
            self.assertEqual(self.asked, ["POST"], way)


class ProxyTests(SynchronousTestCase):
    """Where the environment names a proxy a master elsewhere is asked through it, and what is on this machine is not."""

    def setUp(self):
        self.asked = []
        case = self

        class Proxy(BaseHTTPRequestHandler):
            def log_message(self, *_arguments):
                """Say nothing."""

            def do_GET(self):
                case.asked.append((self.path, self.headers["Host"], self.headers["Proxy-Authorization"]))
                self.send_response(200)
                self.send_header("Content-Length", str(len(ANSWER)))
                self.end_headers()
                self.wfile.write(ANSWER)

            def do_CONNECT(self):
                case.asked.append((self.command, self.path, self.headers["Proxy-Authorization"]))
                self.send_error(403)

        self.server = _Server(("127.0.0.1", 0), Proxy)
        self.addCleanup(self.server.server_close)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.addCleanup(self.server.shutdown)

    def client(self, url, proxy="http://ann:s3%20cret@127.0.0.1:{}", **environment):
        there = {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy, **environment}
        port = self.server.server_address[1]
        # `urllib` reads both spellings, and a CGI's client must not set one
        kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        self.patch(os, "environ", {**kept, **{name: value.format(port) for name, value in there.items()}})
        client = MasterClient(url, lambda _host, *, ask: None)
        self.addCleanup(client.close)
        return client

    def test_elsewhere(self):
        """A master over HTTP is asked for by its whole address, and one over HTTPS through a tunnel; the proxy is told who asks."""
        client = self.client("http://farm.invalid:8010/base/")
        self.assertEqual(client.get("presences"), [{"name": "mac-mini"}])
        who = "Basic " + b64encode(b"ann:s3 cret").decode()
        self.assertEqual(
            self.asked.pop(), ("http://farm.invalid:8010/base/api/v2/presences", "farm.invalid:8010", who)
        )
        error = self.assertRaises(NoAnswerError, self.client("https://farm.invalid/").get, "presences")
        self.assertIn("403", str(error))
        self.assertEqual(self.asked.pop(), ("CONNECT", "farm.invalid:443", who))

    def test_here(self):
        """What is on this machine, or in NO_PROXY, is asked without it, and so is everything where none is named."""
        for url in ("http://127.0.0.1:1/", "http://localhost:1/", "http://[::1]:1/"):
            self.assertRaises(NoAnswerError, self.client(url).get, "presences")
        no = {"NO_PROXY": "farm.invalid", "no_proxy": "farm.invalid"}
        self.assertRaises(NoAnswerError, self.client("http://farm.invalid/", **no).get, "presences")
        self.assertEqual(self.asked, [])

    def test_unknown(self):
        """Another kind of proxy is named in the error."""
        client = self.client("http://farm.invalid/", "socks5://127.0.0.1:{}")
        self.assertIn("socks5", str(self.assertRaises(NoAnswerError, client.get, "presences")))
