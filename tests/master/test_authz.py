from buildbot.config.errors import capture_config_errors
from buildbot.plugins import util
from twisted.trial.unittest import SynchronousTestCase

from presence.master.authz import PresenceEndpointMatcher, RolesFromWorkerOwner, WorkerOwners
from presence.master.buildslave import BuildSlave
from tests.master.apicase import ANONYMOUS, ApiTestCase, user

ADMIN = user("ann")
OWNER = user("me@example.org")
ANOTHER_OWNER = user("eve@example.org")

#: What each action changes, as seen in the entity.
ACTIONS = {
    "hold": {"reason": "disk"},
    "release": {},
    "work": {"until": None},
}


def safeForm(**more):
    """The rules that docs/admin.rst and master.cfg.sample show."""
    return util.Authz(
        allowRules=[
            util.PresenceEndpointMatcher(role="owner", actions=["hold", "release"], defaultDeny=False),
            util.AnyControlEndpointMatcher(role="admins"),
        ],
        roleMatchers=[
            util.RolesFromWorkerOwner(role="owner"),
            util.RolesFromUsername(roles=["admins"], usernames=["ann"]),
        ],
        **more,
    )


class AuthzTestCase(ApiTestCase):
    def start(self, authz):
        self.startMaster(
            [
                self.slave("mac-mini", onBreakDuring=("12:00", "13:00"), notify_on_missing="me@example.org"),
                self.slave("aarch64", onBreakDuring=("12:00", "13:00"), owners=["eve@example.org", "fred"]),
                self.slave("nobodys", onBreakDuring=("12:00", "13:00")),
            ],
            authz=authz,
        )

    def may(self, who, worker, action):
        """Whether `who` may. What is refused says so, and has changed nothing."""
        self.presence(worker).hold("admin", reason="before", since=1)
        self.worker(worker).breakTimer.suspend(self.reactor.seconds() + 1000)
        self.pass_(1)
        before = self.getOne(f"presences/{worker}")
        allowed = []
        for path in (
            f"presences/{worker}",
            f"presences/{self.workerid(worker)}",
            f"workers/{worker}/presence",
            f"workers/{self.workerid(worker)}/presence",
        ):
            answer = self.post(path, action, who, **ACTIONS.get(action, {}))
            if answer.status == 403:
                self.assertIn("you need to have role", answer.json["error"]["message"])
                self.assertEqual(self.getOne(f"presences/{worker}"), before)
            else:
                self.assertEqual(answer.status, 200, answer.json)
            allowed.append(answer.status == 200)
        self.assertEqual(len(set(allowed)), 1, "by whatever path")
        return allowed[0]

    def allowed(self, who):
        """All that `who` may, as a set of (worker, action)."""
        return {
            (worker, action)
            for worker in ("mac-mini", "aarch64", "nobodys")
            for action in ACTIONS
            if self.may(who, worker, action)
        }


class SafeFormTests(AuthzTestCase):
    """The rules of the documentation: by role and by action."""

    def setUp(self):
        super().setUp()
        self.start(safeForm())

    def test_anonymous(self):
        """Who has not logged in may nothing."""
        self.assertEqual(self.allowed(ANONYMOUS), set())

    def test_somebody(self):
        """Who has logged in and has no role may nothing."""
        self.assertEqual(self.allowed(user("somebody")), set())

    def test_owner(self):
        """The owner (from notify_on_missing) may hold and release the worker, and no other."""
        self.assertEqual(self.allowed(OWNER), {("mac-mini", "hold"), ("mac-mini", "release")})

    def test_anotherOwner(self):
        """Another owner (from owners=, by address or by name) may it of his own worker."""
        expected = {("aarch64", "hold"), ("aarch64", "release")}
        self.assertEqual(self.allowed(ANOTHER_OWNER), expected)
        self.assertEqual(self.allowed(user("fred", email="fred@example.org")), expected)

    def test_admin(self):
        """The admin may everything."""
        self.assertEqual(len(self.allowed(ADMIN)), 9)

    def test_reading(self):
        """Everybody may read."""
        for path in ("presences", "presences/mac-mini", "builderpresences", "builders/runtests/presence"):
            self.assertEqual(self.get(path).status, 200)

    def test_actionsThatAreNone(self):
        """An action that does not exist, or not in these letters, is refused to who may not do everything."""
        for action in ("HOLD", "Release", "hold ", "", "pause"):
            for who in (ANONYMOUS, ANOTHER_OWNER, OWNER):
                self.assertEqual(self.post("presences/mac-mini", action, who).status, 403, action)

    def test_reservedWords(self):
        """A POST of "get", which Buildbot's rules take for reading, does nothing."""
        for action in ("get", "GET", "HEAD"):
            self.assertIn(self.post("presences/mac-mini", action).status, (403, 501))
        self.assertEqual(self.sources(), [])

    def test_unknownWorker(self):
        """Who may nothing does not learn which workers there are."""
        self.assertEqual(self.post("presences/nobody", "hold").status, 403)
        self.assertEqual(self.post("presences/nobody", "hold", ADMIN).status, 404)

    def test_pauseButton(self):
        """The owner's role is about our actions: Buildbot's pause is the admins'."""
        path = f"workers/{self.workerid()}"
        self.assertEqual(self.post(path, "pause", OWNER, reason="x").status, 403)
        self.assertEqual(self.post(path, "pause", ADMIN, reason="x").status, 200)

    def test_reconfig(self):
        """Owners follow a reconfig."""
        self.reconfig([self.slave("mac-mini", owners="eve@example.org")])
        self.setAuthz(safeForm())
        self.assertEqual(self.post("presences/mac-mini", "hold", OWNER).status, 403)
        self.assertEqual(self.post("presences/mac-mini", "hold", ANOTHER_OWNER).status, 200)


class RuleTests(AuthzTestCase):
    """Other rules."""

    def test_noRule(self):
        """What no rule matches is allowed: that is Buildbot's way, and the documentation says so."""
        self.start(util.Authz())
        self.assertEqual(len(self.allowed(ANONYMOUS)), 9)
        self.setAuthz(
            util.Authz(allowRules=[PresenceEndpointMatcher(role="admins", actions="hold")], roleMatchers=[])
        )
        self.assertEqual({action for _, action in self.allowed(ANONYMOUS)}, {"release", "work"})

    def test_byWorker(self):
        """A rule may be about workers by name, by pattern, and by several of them."""
        self.start(util.Authz())
        for worker, matched in (
            ("mac-mini", {"mac-mini"}),
            ("a*", {"aarch64"}),
            (["mac-*", "nobodys"], {"mac-mini", "nobodys"}),
            ([], set()),
        ):
            self.setAuthz(util.Authz(allowRules=[PresenceEndpointMatcher(role="admins", worker=worker)]))
            refused = {"mac-mini", "aarch64", "nobodys"} - {name for name, _ in self.allowed(ANONYMOUS)}
            self.assertEqual(refused, matched)

    def test_byRegularExpression(self):
        """With Buildbot's reStrMatcher the pattern is a regular expression."""
        self.start(
            util.Authz(
                allowRules=[PresenceEndpointMatcher(role="admins", worker="mac|aarch")],
                stringsMatcher=util.reStrMatcher,
            )
        )
        self.assertEqual({name for name, _ in self.allowed(ANONYMOUS)}, {"nobodys"})

    def test_ownerMayWork(self):
        """A rule may give the owner everything of his worker."""
        self.start(
            util.Authz(
                allowRules=[PresenceEndpointMatcher(role="owner")], roleMatchers=[RolesFromWorkerOwner()]
            )
        )
        self.assertEqual(self.allowed(OWNER), {("mac-mini", action) for action in ACTIONS})

    def ruled(self, **keywords):
        """The workers that the owner may hold, by what this role says; the file info/admin of `nobodys` names him."""
        self.start(
            util.Authz(
                allowRules=[PresenceEndpointMatcher(role="owner")],
                roleMatchers=[RolesFromWorkerOwner(**keywords)],
            )
        )
        told = "Me <me@example.org>, the second (mallory)"
        self.worker("nobodys").info.setProperty("admin", told, "Worker")
        return {name for name, action in self.allowed(OWNER) if action == "hold"}

    def test_infoAdmin(self):
        """An owner may be named by the worker itself, where the site wants that."""
        self.assertEqual(self.ruled(fromInfo=True), {"mac-mini", "nobodys"})

    def test_infoAdminIsAsked(self):
        """Where the site does not want it what a worker says makes nobody its owner."""
        self.assertEqual(self.ruled(), {"mac-mini"})

    def test_find(self):
        """A function of the site may know the owners; one that fails knows none."""
        self.assertEqual(
            self.ruled(find={"aarch64": ["me@example.org"], "nobodys": None}.__getitem__),
            {"mac-mini", "aarch64"},
        )
        self.flushLoggedErrors(KeyError)

    def test_buildbotsOwnerRole(self):
        """Buildbot's role for the owners of builds makes nobody the owner of a worker."""
        self.start(
            util.Authz(
                allowRules=[PresenceEndpointMatcher(role="owner")],
                roleMatchers=[util.RolesFromOwner(role="owner")],
            )
        )
        self.assertEqual(self.allowed(OWNER), set())

    def test_otherEndpoints(self):
        """Our rule is about presences and nothing else."""
        self.start(util.Authz(allowRules=[PresenceEndpointMatcher(role="admins")]))
        path = f"workers/{self.workerid()}"
        self.assertEqual(self.post(path, "pause", reason="x").status, 200)
        self.assertEqual(self.post("presences", "hold").status, 400)

    def test_mixed(self):
        """owners= and notify_on_missing= add up; a stock worker has the latter."""
        self.startMaster(
            [
                self.slave("mac-mini", owners="fred", notify_on_missing=["me@example.org"]),
                self.stock("plain", notify_on_missing="me@example.org"),
            ],
            authz=safeForm(),
        )
        for who in (user("fred"), OWNER):
            self.assertEqual(self.post("presences/mac-mini", "hold", who).status, 200)
        # the rule lets the owner through; and then it is a stock worker
        self.assertEqual(self.post("presences/plain", "hold", OWNER).status, 400)


class OwnersTests(SynchronousTestCase):
    """Who an owner is."""

    def test_have(self):
        """An address is compared with the address, a name with the name; nobody is not somebody."""
        owners = WorkerOwners(["me@example.org", "fred"])
        self.assertTrue(owners.have(user("me@example.org")))
        self.assertTrue(owners.have({"username": "x", "email": "me@example.org"}))
        self.assertTrue(owners.have({"username": "fred"}))
        self.assertFalse(owners.have({"username": "me@example.org", "email": "eve@example.org"}))
        self.assertFalse(owners.have({"username": "eve", "email": "fred"}))
        self.assertFalse(owners.have({"username": "eve", "full_name": "fred", "groups": ["fred"]}))
        self.assertFalse(owners.have(ANONYMOUS))
        self.assertFalse(WorkerOwners().have({}))

    def test_mistakes(self):
        """owners= that are none are mistakes in master.cfg."""
        for value in (7, [""], [None], {"a": 1}, " "):
            with capture_config_errors() as errors:
                BuildSlave("mac-mini", "s3cret", owners=value)
            self.assertIn(f"owners={value!r} is not right: give an e-mail address", errors.errors[0])

    def test_ruleMistakes(self):
        """Mistakes in a rule are mistakes in master.cfg, and say what would be right."""
        for arguments, said in (
            ({"actions": "pause"}, "there is no action 'pause': there are hold, drain, release, work"),
            ({"actions": 7}, "actions=7 is not right"),
            ({"worker": 7}, "worker=7 is not right"),
            ({"worker": [None]}, "worker=[None] is not right"),
        ):
            with capture_config_errors() as errors:
                PresenceEndpointMatcher(role="admins", **arguments)
            self.assertIn(said, errors.errors[0])
