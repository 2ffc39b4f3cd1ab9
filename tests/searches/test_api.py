import json
from urllib.parse import quote, urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from presence.breaks.schedule import Break
from presence.master.api import presences
from presence.orders.workers import ACTIONS
from tests.master.apicase import ApiTestCase, user
from tests.searches.cases import JSON, examples, texts

# requests of each kind; a search makes more
fuzz = settings(examples(25, search=1000), suppress_health_check=list(HealthCheck))

OPERATORS = ("", "__eq", "__ne", "__lt", "__le", "__gt", "__ge", "__contains", "__in", "__notin", "__x")
VALUES = st.one_of(
    st.integers().map(str),
    st.floats().map(str),
    st.booleans().map(str),
    texts(exclude=["Cs"], max_size=20),
    st.sampled_from(["AVAILABLE", "mac-mini", "true", "null", "1" * 400]),
)
NOT_EMPTY = VALUES.filter(bool)  # Buildbot stumbles over order= and field=, with nothing


class FuzzTests(ApiTestCase):
    """Requests made from what the API says of itself: whatever is asked, it answers, and in good order."""

    def setUp(self):
        super().setUp()
        self.startMaster(
            [
                self.slave("mac-mini", onBreakDuring=Break("07:00", "19:00", tz="UTC")),
                self.slave("aarch64"),
                self.stock("plain"),
            ],
            {"runtests": ["mac-mini", "aarch64", "plain"], "one": ["mac-mini"]},
        )
        self.presence("aarch64").hold("admin", reason="disk", until=self.at(9))
        self.pass_(1)
        self.ours = [
            each
            for each in self.master.data.allEndpoints()
            if each["plural"] in {"presences", "builderpresences", "runningbuilds"}
        ]
        assert len(self.ours) == 17

    def paths(self, *, calendars=True):
        """Paths of all patterns, with things that are there in their places, and things that are not."""
        patterns = [each for each in self.ours if calendars or not each["path"].endswith(".ics")]
        there = st.sampled_from(["1", "2", "3", "mac-mini", "aarch64", "plain", "runtests", "one"])
        place = there | NOT_EMPTY.map(lambda text: quote(text, safe=""))

        @st.composite
        def path(draw):
            pattern = draw(st.sampled_from(patterns))
            return pattern, "/".join(
                draw(place) if ":" in each else each for each in pattern["path"].split("/")
            )

        return path()

    @staticmethod
    def queries(endpoint):
        """Queries of the fields that an endpoint says it has, and of others."""
        fields = [each["name"] for each in endpoint["type_spec"]["fields"]] + ["nobody", "name__x"]
        names = st.sampled_from(fields)
        return st.lists(
            st.one_of(
                st.tuples(st.builds("{}{}".format, names, st.sampled_from(OPERATORS)), VALUES),
                st.tuples(st.just("order"), names | names.map("-{}".format)),
                st.tuples(st.just("field"), names),
                st.tuples(st.sampled_from(["limit", "offset"]), st.integers(-3, 3).map(str) | VALUES),
            ),
            max_size=4,
        )

    @fuzz
    @given(st.data())
    def test_reading(self, data):
        """Every GET is answered with entities, or with an error that has a text; never with an internal one.

        (Of a calendar, which is no JSON, see test_breaksapi.)
        """
        endpoint, path = data.draw(self.paths(calendars=False))
        query = data.draw(self.queries(endpoint))
        answer = self.get(f"{path}?{urlencode(query)}")
        logged = self.flushLoggedErrors()
        self.assertIn(answer.status, (200, 400, 404), (path, query, answer.json))
        if answer.status == 200:
            self.assertIn(endpoint["plural"], answer.json)
        else:
            self.assertTrue(answer.json["error"])
        self.assertEqual(logged, [])

    def assertObeyed(self, entity, action):
        """What the answer to an order, of a worker or a builder, says is so."""
        is_builder = "builderid" in entity
        if not is_builder:
            # (beside it; one master heeds what it has stored)
            self.assertTrue(entity.pop("order")["heeded"])
        self.assertEntity(entity, presences.BuilderPresence if is_builder else presences.Presence)
        path = f"builderpresences/{entity['builderid']}" if is_builder else f"presences/{entity['name']}"
        self.assertEqual(self.getOne(f"{path}?field=state")["state"], entity["state"])
        if action == "hold":
            self.assertEqual((entity["hold"] if is_builder else entity["holds"][-1])["by"], "ann")

    @fuzz
    @given(st.data())
    def test_ordering(self, data):
        """Every POST is obeyed and tells so, or is refused with a text, and has then changed nothing."""
        _, path = data.draw(self.paths())
        action = data.draw(st.sampled_from([*ACTIONS, *ACTIONS, "stop", "Hold", "get", ""]) | texts())
        known = {name for each in ACTIONS.values() for name in each.parameters}
        params = data.draw(
            st.dictionaries(
                st.sampled_from([*sorted(known), *sorted(known), "by", "owner", "source"]) | texts(),
                JSON | st.integers(int(self.at(7)), int(self.at(9))),
                max_size=3,
            )
        )
        before = self.state()
        answer = self.post(path, action, params)
        logged = self.flushLoggedErrors()
        if answer.status == 200:
            self.assertObeyed(answer.result, action)
        else:
            self.assertIn(answer.status, (400, 404, 501), (path, action, params, answer.json))
            text = answer.error[2]
            self.assertTrue(text)
            # (Buildbot repeats a path that it does not know)
            self.assertTrue(len(text) < 400 or text.startswith("Invalid path: "), text)
            self.assertEqual(self.state(), before)
        self.assertEqual(logged, [])

    @fuzz
    @given(st.data())
    def test_bodies(self, data):
        """Whatever is posted is answered with a text, and changes nothing if it is no order in JSON-RPC."""
        _, path = data.draw(self.paths())
        whole = {"jsonrpc": "2.0", "method": "hold", "id": 1, "params": {"reason": "disk"}}
        # all of it is something else, or a part of it is missing, or is something else
        body = data.draw(
            JSON
            | st.sampled_from(sorted(whole)).map(lambda name: {k: v for k, v in whole.items() if k != name})
            | st.tuples(st.sampled_from(sorted(whole)), JSON).map(lambda item: {**whole, item[0]: item[1]})
        )
        before = self.state()
        answer = self.postRaw(path, body, user("ann"))
        logged = self.flushLoggedErrors()
        if answer.status == 200:
            self.assertEqual(
                {**whole, "id": body["id"], "params": body.get("params")}, {"params": None, **body}
            )
        else:
            self.assertIn(answer.status, (400, 404, 501), (path, body, answer.json))
            self.assertTrue(answer.json["error"]["message"])
            self.assertEqual(self.state(), before)
        self.assertEqual(logged, [])

    def post(self, path, action, params):
        body = {"jsonrpc": "2.0", "id": 1, "method": action, "params": params}
        return self.render(path, b"POST", user("ann"), json.dumps(body).encode())

    def state(self):
        return [(each.name, each.holds) for each in self.roster.workers.values()]
