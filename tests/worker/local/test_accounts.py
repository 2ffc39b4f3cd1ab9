import os
import shutil
import socket
import tempfile
from pathlib import Path
from types import SimpleNamespace
from unittest import SkipTest

from twisted.internet import reactor
from twisted.internet.defer import inlineCallbacks
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase

from presence.wire.localaddress import FILENAME, SOCKET, LocalAddress, LocalFile, LocalFileError
from presence.worker.local.accounts import OwnersSocket, checkOwners, isOwner

STRANGER = 65534
ADDRESS = LocalAddress(os.getpid(), 8123, "abc")


class OwnersTests(SynchronousTestCase):
    def setUp(self):
        accounts = {1: "ann", 2: "bob", 3: "eve"}
        groups = {10: "family", 11: "lab"}
        members = {"ann": [11], "bob": [10, 11, 99], "eve": []}

        def getpwuid(uid):
            return SimpleNamespace(pw_name=accounts[uid], pw_gid=99)

        self.patch(__import__("pwd"), "getpwuid", getpwuid)
        self.patch(__import__("grp"), "getgrgid", lambda gid: SimpleNamespace(gr_name=groups[gid]))
        self.patch(os, "getgrouplist", lambda name, gid: members[name])

    def test_who(self):
        """Accounts and members of groups are let in, besides the worker's own and root; nobody else."""
        for owners, expected in (
            ((), []),
            (("ann",), [1]),
            (("@family",), [2]),
            (("eve", "@lab"), [1, 2, 3]),
            (("family", "@ann", "carl"), []),
        ):
            self.assertEqual([uid for uid in (1, 2, 3, 4) if isOwner(uid, owners, 5)], expected)
            self.assertTrue(isOwner(0, owners, 5) and isOwner(5, owners, 5))

    def test_mistakes(self):
        """What is no name is an error that says what would be right."""
        self.assertEqual(checkOwners("ann"), ("ann",))
        for wrong in (3, ["ann", None], "@", ["a\nb"], [""]):
            problem = self.assertRaises(ValueError, checkOwners, wrong)
            self.assertIn('write "ann", or "@lab"', str(problem))


class SocketTests(TestCase):
    """Over a real socket: the kernel says who has connected."""

    def setUp(self):
        if not hasattr(socket, "SO_PEERCRED") or os.geteuid() != 0:
            raise SkipTest("only root can be somebody else, and only Linux says who has connected")
        # (what is above the tests' own directory may be closed to others; the name of a socket is short)
        self.folder = Path(tempfile.mkdtemp(prefix="p"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.folder.chmod(0o711)
        LocalFile(str(self.folder)).write(ADDRESS)

    def open(self, *owners):
        self.door = OwnersSocket(str(self.folder), owners, reactor)
        self.door.open(ADDRESS)
        self.addCleanup(self.door.close)

    def asked(self):
        """What somebody else learns."""

        def ask():
            try:
                return LocalFile(str(self.folder)).read()
            except LocalFileError as problem:
                return str(problem)

        os.setegid(STRANGER)
        os.seteuid(STRANGER)
        asked = deferToThread(ask)

        def again(result):
            os.seteuid(0)
            os.setegid(0)
            return result

        return asked.addBoth(again)

    @inlineCallbacks
    def test_owner(self):
        """An account that was named reads the address, and the file stays closed to it; also after a kill."""
        (self.folder / SOCKET).write_text("of a process that was killed")
        self.open("nobody")
        self.assertEqual((yield self.asked()), ADDRESS)
        self.assertEqual((self.folder / FILENAME).stat().st_mode & 0o777, 0o600)

    @inlineCallbacks
    def test_others(self):
        """Everybody else is told what would let him in, with a socket and without."""
        self.open("root")
        self.assertIn("presence install --owner", (yield self.asked()))
        yield self.door.close()
        self.assertFalse((self.folder / SOCKET).exists())
        self.assertIn("presence install --owner", (yield self.asked()))
