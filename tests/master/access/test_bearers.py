import json
import os
import stat
from pathlib import Path

from buildbot.config import ConfigErrors
from buildbot.config.errors import capture_config_errors
from buildbot.plugins import util
from twisted.logger import formatEvent

from presence.master.access import bearers as bearersmodule
from presence.master.access import operator
from presence.master.assembly import Assembly
from presence.master.service import PresenceService
from presence.orders.abilities import ABILITIES
from presence.wire import secrets, tokens
from presence.wire.operatorfile import FILENAME, readOperator
from presence.wire.secrets import OPERATOR, TOKEN, digestOf, newSecret
from presence.wire.tokens import Token, changeTokens
from tests.master.apicase import ANONYMOUS, ApiTestCase, user

ALL = tuple(ABILITIES.values())


class BearersTestCase(ApiTestCase):
    """A master at which nobody can log in with a password: its rules go by roles that OAuth would give."""

    def start(self, **keywords):
        self.service = PresenceService(**keywords)
        self.authz = util.Authz(
            allowRules=[util.AnyControlEndpointMatcher(role="admins")],
            roleMatchers=[
                util.RolesFromUsername(roles=["admins"], usernames=["ann"]),
                util.RolesFromEmails(admins=["bea@example.org"]),
                util.RolesFromGroups(groupPrefix="farm-"),
            ],
        )
        self.startMaster([self.slave("mac-mini")], authz=self.authz, services=[self.service])
        self.directory = Path(self.master.basedir)
        self.addCleanup(setattr, self, "authorization", None)

    def stopMaster(self):
        super().stopMaster()
        self.assertFalse((self.directory / FILENAME).exists())

    def bear(self, secret, scheme="Bearer"):
        self.authorization = f"{scheme} {secret}".encode()

    def token(self, name="nightly", who="ann", may=ALL, expires=None, **more):
        """Make a token as the command does, and use it from now on."""
        secret = newSecret(TOKEN)
        token = Token(name, who, may, self.reactor.seconds(), expires, digestOf(secret), **more)
        changeTokens(self.directory, lambda known: (*known, token))
        self.bear(secret)
        return secret

    def revoke(self, name="nightly"):
        changeTokens(self.directory, lambda known: tuple(each for each in known if each.name != name))

    def order(self, action="hold", path="presences/mac-mini", who=ANONYMOUS):
        return self.post(path, action, who)

    def assertRefused(self, said, *arguments, **keywords):
        """Refused, with these words; and nothing has happened."""
        answer = self.order(*arguments, **keywords)
        self.assertEqual(answer.status, 403, answer.json)
        self.assertIn(said, answer.json["error"]["message"])
        self.assertIsNone(self.by())

    def by(self):
        hold = self.worker("mac-mini").adminRecord.hold
        return hold and hold.by


class OperatorTests(BearersTestCase):
    """Whoever can read the file in the master's directory."""

    def operator(self):
        self.bear(readOperator(self.directory))

    def test_roles(self):
        """The operator has the roles that `PresenceService` gives, and is called that in what is stored."""
        self.start(operator="admins")
        self.assertRefused("you need to have role 'admins'")
        self.operator()
        self.assertEqual(self.order().status, 200)
        self.assertEqual(self.by(), "operator")
        self.assertEqual(self.order("plan", "reconfig").status, 200)
        # the rules of the site have not changed
        self.authorization = None
        self.assertEqual(self.order("release").status, 403)
        self.assertEqual(vars(self.authz).get("getRolesFromUser"), None)

    def test_noSuchRole(self):
        """Who has other roles is refused, as the operator, and told what would help."""
        self.start(operator=["owners", "guests"])
        self.operator()
        self.assertRefused(
            "you need to have role 'admins' (you are operator, with the roles owners, guests: "
            'PresenceService(operator="ROLE") gives them)'
        )

    def test_buildbotsOwn(self):
        """At what is Buildbot's own nobody is the operator; there the session counts, as ever."""
        self.start(operator="admins")
        self.operator()
        path = f"workers/{self.workerid()}"
        self.assertEqual(self.post(path, "pause", reason="x").status, 403)
        self.assertEqual(self.post("builders/runtests", "x").status, 403)
        self.assertEqual(self.post(path, "pause", user("ann"), reason="x").status, 200)

    def test_private(self):
        """The file is for the account of the master alone, and there is none where nobody is the operator."""
        self.start(operator="admins")
        found = (self.directory / FILENAME).stat()
        self.assertEqual((stat.S_IMODE(found.st_mode), found.st_uid), (0o600, os.geteuid()))
        self.reconfig([self.slave("mac-mini")], services=[PresenceService()])
        self.setAuthz(self.authz)
        self.assertFalse((self.directory / FILENAME).exists())
        self.bear(newSecret(OPERATOR))
        self.assertRefused("does not know that operator")

    def test_kept(self):
        """A reconfig that changes nothing of it keeps the secret; other roles, or a restart, make another one."""
        self.start(operator="admins")
        first = readOperator(self.directory)
        self.reconfig([self.slave("mac-mini")], services=[PresenceService(operator="admins", deadline=1)])
        self.assertEqual(readOperator(self.directory), first)
        self.reconfig([self.slave("mac-mini")], services=[PresenceService(operator="guests")])
        self.setAuthz(self.authz)
        self.assertNotEqual(readOperator(self.directory), first)
        self.bear(first)
        self.assertRefused("does not know that operator")

    def test_widened(self):
        """Who makes it readable for others has made it worthless: it is noticed, and written anew."""
        self.start(operator="admins")
        first = readOperator(self.directory)
        (self.directory / FILENAME).chmod(0o644)
        self.bear(first)
        self.assertRefused("others may have read it; it was written anew: try again")
        self.assertEqual(stat.S_IMODE((self.directory / FILENAME).stat().st_mode), 0o600)
        self.assertRefused("does not know that operator")
        self.operator()
        self.assertEqual(self.order().status, 200)

    def test_removed(self):
        """A file that somebody has removed, or put a link in the place of, is written anew likewise."""
        self.start(operator="admins")
        elsewhere = self.directory / "elsewhere"
        self.operator()
        (self.directory / FILENAME).rename(elsewhere)
        (self.directory / FILENAME).symlink_to(elsewhere)
        self.assertIsNone(readOperator(self.directory))
        self.assertRefused("written anew")
        self.operator()
        self.assertEqual(self.order().status, 200)

    def test_group(self):
        """A group may read it, too, where the site says so."""
        self.start(operator="admins", operatorGroup=os.getegid())
        found = (self.directory / FILENAME).stat()
        self.assertEqual((stat.S_IMODE(found.st_mode), found.st_gid), (0o640, os.getegid()))
        self.operator()
        self.assertEqual(self.order().status, 200)

    def test_cannotBeWritten(self):
        """Where it cannot be written there is no operator, and the master goes on."""

        def write(*_, **__):
            raise PermissionError(1, "not yours")

        self.patch(operator.files.Directory, "write", write)
        self.start(operator="admins")
        self.assertFalse((self.directory / FILENAME).exists())
        self.bear(newSecret(OPERATOR))
        self.assertRefused("does not know that operator")

    def test_mistakes(self):
        """Each mistake in the configuration says what would be right."""
        for keywords, said in (
            ({"operator": True}, 'operator="admins"'),
            ({"operator": ""}, 'operator="admins"'),
            ({"operator": ["admins", 7]}, 'operator="admins"'),
            ({"operatorGroup": 0}, "give operator= as well"),
            ({"operator": "a", "operatorGroup": "no-such-group"}, "is not a group of this machine"),
            ({"operator": "a", "operatorGroup": 10**30}, "is not a group of this machine"),
            ({"operator": "a", "operatorGroup": 1.5}, "is not a group of this machine"),
        ):
            with self.assertRaises(ConfigErrors) as caught, capture_config_errors(raise_on_error=True):
                PresenceService(**keywords)
            self.assertIn(said, str(caught.exception.errors))
        self.start()


class TokenTests(BearersTestCase):
    """Tokens of scripts."""

    def setUp(self):
        super().setUp()
        self.start()

    def test_user(self):
        """A token has the rights of its user, whose name stands in what is stored with that of the token."""
        self.token()
        self.assertEqual(self.order().status, 200)
        self.assertEqual(self.by(), "ann (token nightly)")

    def test_noMoreThanTheUser(self):
        """It has no more rights than the user, and the refusal names both."""
        self.token(who="eve")
        self.assertRefused("you need to have role 'admins' (you are eve (token nightly))")

    def test_addressesAndGroups(self):
        """The user is known by his address or his groups, where the rules go by these."""
        for number, more in enumerate(
            (
                {"who": "bea@example.org"},
                {"who": "bea", "email": "bea@example.org"},
                {"who": "carl", "groups": ("farm-admins",)},
            )
        ):
            self.token(f"t{number}", **more)
            self.assertEqual(self.order().status, 200, more)
        self.token("t9", who="carl", groups=("admins",))
        self.assertEqual(self.order().status, 403)

    def test_otherOrders(self):
        """It is good for what it was made for, and nothing else; both have to allow it: the token, and the rules."""
        for resource, action in ABILITIES:
            self.token(f"for-{resource}-{action}", may=(ABILITIES[resource, action],))
            for other, another in ABILITIES:
                path = {"presence": "presences/mac-mini", "builderpresence": "builderpresences/1"}.get(
                    other, other
                )
                answer = self.post(path, another, nonsense=1)
                if (other, another) == (resource, action):
                    self.assertEqual(answer.status, 400, answer.json)  # it was allowed, and is nonsense
                else:
                    self.assertEqual(answer.status, 403)
                    self.assertIn("may not", answer.json["error"]["message"])
        self.assertIsNone(self.by())

    def test_wordsForReading(self):
        """Nor is it good for a POST that is called like reading, which no rule of Buildbot's looks at."""
        self.token(may=("hold",))
        for action in ("get", "GET", "HEAD", "HOLD", ""):
            self.assertEqual(self.order(action).status, 403, action)

    def test_reading(self):
        """It may read what is ours, under the rules; for what is Buildbot's own it is nobody."""
        self.setAuthz(util.Authz([util.AnyEndpointMatcher(role="admins")], self.authz.roleMatchers))
        self.token(may=("hold",))
        for path in (
            "presences",
            "presences/mac-mini",
            "requestpresences",
            "reconfig",
            "shutdown",
            "runningbuilds",
        ):
            self.assertEqual(self.get(path).status, 200, path)
        self.assertEqual(self.get("workers").status, 403)
        self.token("eves", who="eve", may=("hold",))
        self.assertEqual(self.get("presences").status, 403)

    def test_buildbotsOwn(self):
        """It orders nothing of Buildbot's."""
        self.token()
        path = f"workers/{self.workerid()}"
        self.assertEqual(self.post(path, "pause", reason="x").status, 403)
        self.assertEqual(self.post("masters/1", "x").status, 403)

    def test_session(self):
        """Of who has a session as well the token counts: what it may not, the session does not help with."""
        self.token(may=("release",))
        self.assertRefused("may not hold", who=user("ann"))
        self.bear(newSecret(TOKEN))
        self.assertRefused("does not know that token", who=user("ann"))

    def test_expired(self):
        """It is good until its end, and not at that instant."""
        self.token(expires=self.reactor.seconds() + 60)
        self.assertEqual(self.order().status, 200)
        self.assertEqual(self.order("release").status, 200)
        self.pass_(60)
        self.assertRefused("the token nightly has expired")

    def test_revoked(self):
        """What is revoked is so with the next order; the order of before stands."""
        self.token()
        self.assertEqual(self.order().status, 200)
        self.revoke()
        answer = self.order("release")
        self.assertIn("does not know that token: it was revoked", answer.json["error"]["message"])
        self.assertEqual((answer.status, self.by()), (403, "ann (token nightly)"))

    def test_strangers(self):
        """Bearers that are not ours are Buildbot's business, that is: nobody's; ours that are wrong are refused."""
        for secret in ("eyJhbGciOiJIUzI1NiJ9.e30.x", "", "presence", "x" * 100_000):
            self.bear(secret)
            self.assertRefused("you need to have role 'admins'")
        right = self.token()
        for secret in (
            TOKEN,
            right[:-1],
            right + "x",
            right + "x" * 1_000_000,
            TOKEN + "\xff" * 50,
            right.upper(),
        ):
            self.bear(secret)
            answer = self.order()
            self.assertEqual(answer.status, 403)
        self.bear(right, "Basic")
        self.assertRefused("you need to have role 'admins'")
        for scheme in ("bearer", "BEARER", "Bearer "):
            self.bear(right, scheme)
            self.assertEqual(self.order().status, 200, scheme)

    def test_manyWrong(self):
        """Whoever tries many gets one line in the log, and no token is read anew or compared before its end."""
        reads, lines = [], []
        read = tokens.readTokens
        right = self.token()
        self.patch(tokens, "readTokens", lambda directory: reads.append(1) or read(directory))
        self.patch(bearersmodule._log, "observer", lambda event: lines.append(formatEvent(event)))
        for _ in range(300):
            self.bear(newSecret(TOKEN))
            self.order()
        self.assertEqual((len(reads), len(lines)), (1, 1))
        self.assertIn("does not know that token", lines[0])
        self.assertNotIn(TOKEN, lines[0])
        self.pass_(61)
        self.order()
        self.assertIn("(299 more since", lines[1])
        self.bear(right)
        self.assertEqual(self.order().status, 200)

    def test_fileOfOthers(self):
        """A file that others can write, or that is not ours to read, is not taken: no token is good until that is mended."""
        self.token()
        path = self.directory / tokens.FILENAME
        path.chmod(0o660)
        self.assertRefused("no token is taken now: the log of the master says why")
        path.chmod(0o600)
        self.assertEqual(self.order().status, 200)
        self.assertEqual(self.order("release").status, 200)
        good = path.read_bytes()
        for content in (
            b"",
            b"[]",
            b"{}",
            b'{"version": 2, "tokens": []}',
            good.replace(b'"ann"', b"7"),
            b"[" * 9999,
        ):
            path.write_bytes(content)
            self.assertRefused("no token is taken now")
        path.write_bytes(good)
        self.assertEqual(self.order().status, 200)

    def test_nothingSecretIsKept(self):
        """The secret is in no file of the master's, and what is kept is for its account alone."""
        secret = self.token()
        path = self.directory / tokens.FILENAME
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertNotIn(secret, path.read_text())
        (kept,) = json.loads(path.read_text())["tokens"]
        self.assertEqual(kept["digest"], digestOf(secret))

    def test_comparing(self):
        """Digests are compared in constant time, all of them."""
        compared = []
        self.patch(secrets.hmac, "compare_digest", lambda one, other: compared.append(one) or one == other)
        self.token("first")
        self.token("second")
        self.assertEqual(self.order().status, 200)
        self.assertEqual(len(compared), 2)

    def test_goneWithTheService(self):
        """A Buildbot that has no presence any more has its own web service back."""
        self.assertIn("assertUserAllowed", vars(self.master.www))
        self.master.namedServices[Assembly.getName()].bearers.stop()
        self.assertNotIn("assertUserAllowed", vars(self.master.www))
        self.assertNotIn("getUserInfos", vars(self.master.www))
