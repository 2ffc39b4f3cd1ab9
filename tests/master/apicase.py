"""A master whose REST API is asked as the web server asks it: through its resource, with a session's user."""

import json
from io import BytesIO

from buildbot.data import base
from buildbot.test.util.www import FakeRequest, FakeSession
from buildbot.www.authz.authz import Authz
from buildbot.www.rest import V2RootResource
from twisted.web.http import parse_qs
from twisted.web.server import NOT_DONE_YET

from presence.master import compat
from presence.master.api import presences
from tests.master.fakemaster import MasterTestCase

INVALID_PARAMS = -32602
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601

ANONYMOUS = {"anonymous": True}


def user(name, **more):
    """The user information of the session of `name`, as Buildbot makes it without another provider."""
    return {"username": name, "email": name, **more}


class Answer:
    """What the API has answered: `status`, and `json`."""

    def __init__(self, status, text):
        self.status = status
        self.json = json.loads(text)

    @property
    def result(self):
        assert self.status == 200, self.json
        return self.json["result"]

    @property
    def error(self):
        """(HTTP status, code, text) of the error of a JSON-RPC call."""
        error = self.json["error"]
        return self.status, error["code"], error["message"]


class ApiTestCase(MasterTestCase):
    """`get()` and `post()` are answered as by the web server; `events` are those of the message queue."""

    def startMaster(self, controllers, builders=None, connect=True, authz=None, **more):
        # Buildbot's fake reactor has one thread for all, and nobody runs the real one
        self.patch(compat.threadable, "ioThread", None)
        self.events = []
        super().startMaster(controllers, builders, connect, **more)
        if not hasattr(self.master.www, "reconfigurableResources"):
            # up to 4.2 a master without a web server has no place for it
            self.master.www.reconfigurableResources = []
        self.api = V2RootResource(self.master)
        self.api.reconfigResource(self.master.config)
        self.setAuthz(authz or Authz())
        for plural in ("presences", "builderpresences"):
            self.resultOf(self.master.mq.startConsuming(self.heard, (plural, None, None)))
        self.pass_(1)
        self.events.clear()

    def setAuthz(self, authz):
        authz.setMaster(self.master)
        self.master.www.authz = authz

    def heard(self, key, message):
        self.events.append((key, message))

    def changes(self, plural="presences"):
        """The entities that were announced as changed, and forget them."""
        found = [message for key, message in self.events if key[0] == plural and key[2] == "changed"]
        self.events.clear()
        return found

    def render(self, path, method, who, body=None):
        return Answer(*self.renderText(path, method, who, body))

    #: the value of the header Authorization of all that is asked
    authorization = None

    def renderText(self, path, method=b"GET", who=ANONYMOUS, body=None):
        """The status and the text of the answer."""
        path, _, query = path.encode().partition(b"?")
        request = FakeRequest(b"/" + path)
        request.args = parse_qs(query, 1)  # Buildbot's fake can do ASCII only
        request.method = method
        request.session = FakeSession()
        request.session.user_info = who
        if self.authorization is not None:
            request.input_headers[b"authorization"] = self.authorization
        if body is not None:
            request.input_headers[b"content-type"] = b"application/json"
            request.content = BytesIO(body)
        answer = self.api.render(request)
        if answer != NOT_DONE_YET:
            request.write(answer)
            request.finish()
        text = self.resultOf(request.deferred)
        return request.responseCode, text

    def get(self, path, who=ANONYMOUS):
        """GET of `path`."""
        return self.render(path, b"GET", who)

    def getOne(self, path):
        """The one entity that `path` is."""
        answer = self.get(path)
        self.assertEqual(answer.status, 200, answer.json)
        (entities,) = (value for key, value in answer.json.items() if key != "meta")
        (entity,) = entities
        return entity

    def getAll(self, path):
        """The entities of the collection that `path` is."""
        answer = self.get(path)
        self.assertEqual(answer.status, 200, answer.json)
        (entities,) = (value for key, value in answer.json.items() if key != "meta")
        return entities

    def post(self, path, action, who=ANONYMOUS, **params):
        """POST of an action to `path`."""
        return self.postRaw(path, {"jsonrpc": "2.0", "id": 1, "method": action, "params": params}, who)

    def postRaw(self, path, body, who=ANONYMOUS):
        return self.render(path, b"POST", who, json.dumps(body).encode())

    def assertEntity(self, entity, rtype=presences.Presence):
        """`entity` has the fields and types that the API says it has."""
        self.assertEqual(list(rtype.entityType.validate("entity", entity)), [])

    def workerid(self, name="mac-mini"):
        return self.worker(name).workerid


COLLECTION = base.EndpointKind.COLLECTION
