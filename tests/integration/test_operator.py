"""Orders from the shell at a master where people log in with OAuth: nobody can with a password."""

import io
import os
import stat
from contextlib import redirect_stderr, redirect_stdout

from presence.commands.main import main
from tests.integration.test_admin import AdminTestCase

OAUTH = """
import presence
presence.enable(c, operator="admins")
c["www"]["auth"] = util.GitHubAuth("id", "secret")
c["www"]["authz"] = util.Authz(
    allowRules=[util.AnyControlEndpointMatcher(role="admins")],
    roleMatchers=[util.RolesFromGroups()],
)
"""


class OperatorTests(AdminTestCase):
    def shell(self, *arguments, **environ):
        """(exit status, stdout, stderr) of a command, in the environment of somebody who is nobody."""
        out, err = io.StringIO(), io.StringIO()
        self.patch(os, "environ", {"HOME": str(self.farm.directory), "PRESENCE_URL": self.url, **environ})
        with redirect_stdout(out), redirect_stderr(err):
            status = main(arguments)
        return status, out.getvalue(), err.getvalue()

    def order(self, *arguments, **environ):
        """What a command prints that succeeds."""
        status, out, err = self.shell(*arguments, **environ)
        self.assertEqual(status, 0, out + err)
        return out

    def refused(self, *arguments, **environ):
        """What a command says that is refused."""
        status, out, err = self.shell(*arguments, **environ)
        self.assertEqual(status, 1, out + err)
        return err

    def test_shell(self):
        """The operator of the machine orders everything, a script what its token is for, and nobody else anything."""
        self.start('worker.Worker("mac-mini", PASSWORD)', extra=OAUTH)
        directory = str(self.farm.master.directory)
        self.assertIn("(you have not logged in)", self.refused("hold", "mac-mini"))
        said = self.refused("hold", "mac-mini", PRESENCE_USER="ann", PRESENCE_PASSWORD="apple")
        self.assertIn("(nobody has logged in", said)
        self.assertEqual(self.sources(), ["offline"])
        # the operator
        self.assertIn(
            "held by operator (disk)",
            self.order("hold", "mac-mini", "--reason", "disk", "--master", directory),
        )
        self.assertIn("Nothing would be hurt", self.order("reconfig", "--plan", directory))
        self.order("reconfig", directory)
        self.order("release", "mac-mini", "--master", directory)
        # a script
        make = ("token", "make", directory, "nightly", "--user", "ann", "--group", "admins", "--may", "hold")
        token = self.order(*make).strip()
        self.assertIn("held by ann (token nightly)", self.order("hold", "mac-mini", PRESENCE_TOKEN=token))
        self.assertIn(
            "may not release: the token is for hold",
            self.refused("release", "mac-mini", PRESENCE_TOKEN=token),
        )
        self.order("token", "revoke", directory, "nightly")
        self.assertIn("it was revoked", self.refused("hold", "mac-mini", PRESENCE_TOKEN=token))
        # secrets: in no log, and in no file that others can read
        path = self.farm.master.directory / "presence-operator.token"
        secret = path.read_text().strip()
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        for each in self.farm.master.directory.iterdir():
            content = each.read_bytes() if each.is_file() and each != path else b""
            self.assertNotIn(token.encode(), content, each)
            self.assertNotIn(secret.encode(), content, each)
        # and the end
        self.assertIn("the master has stopped", self.order("stop-master", directory))
        for by in (
            "operator has ordered of mac-mini: HoldOrder",
            "ann (token nightly) has ordered of mac-mini: HoldOrder",
            "operator has ordered that",
        ):
            self.assertIn(by, self.farm.master.log)
        self.assertFalse(path.exists())
