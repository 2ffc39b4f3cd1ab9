"""Answers that are cut off, over real sockets: questions are asked again, orders are not."""

import io
import json
import socketserver
import threading
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
