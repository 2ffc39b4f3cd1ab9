"""Whatever is sent to the local server is answered with what is wrong with it, and breaks nothing."""

import json

from hypothesis import given
from hypothesis import strategies as st

from tests.searches.cases import examples, texts
from tests.worker.local.localcase import HOST, LocalTestCase

KEYS = st.sampled_from(["reason", "until", "deadline", "version"]) | texts(max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
ORDERS = st.sampled_from(["away", "back", "work", "stop"])


class FuzzTests(LocalTestCase):
    @examples(10)
    @given(ORDERS, st.dictionaries(KEYS, VALUES, max_size=3) | VALUES)
    def test_orders(self, order, value):
        """Any JSON is done, or refused with a text and then has changed nothing."""
        before = self.client.owner.status()
        answer = self.ask("POST", f"/api/{order}", raw=json.dumps(value).encode())
        answer.transport.loseConnection()
        self.assertIn(answer.code, (200, 400, 413))
        if answer.code != 200:
            self.assertLess(len(answer.json["error"]), 1000)
            self.assertEqual(self.client.owner.status(), before)
        self.client.owner.back()
        self.assertEqual(self.flushLoggedErrors(), [])

    @examples(10)
    @given(
        st.sampled_from(["GET", "POST"]),
        st.sampled_from(["/", "/enter", "/api/status", "/api/away"]),
        st.binary(),
    )
    def test_bytes(self, method, path, content):
        """Any bytes of a stranger, after a request has begun or instead of one, break nothing and change nothing."""
        head = f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\n".encode()
        for sent in (
            content,
            head + content,
            head + b"Content-Length: " + str(len(content)).encode() + b"\r\n\r\n" + content,
            head + b"Transfer-Encoding: chunked\r\n\r\n" + content,
            head
            + b"Cookie: "
            + content.replace(b"\n", b"")
            + b"\r\nOrigin: "
            + content.replace(b"\n", b"")
            + b"\r\n\r\n",
        ):
            transport = self.connect_()
            transport.protocol.dataReceived(sent)
            transport.loseConnection()
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertEqual(self.sources(), [])
