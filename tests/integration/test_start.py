import subprocess
import sys

from twisted.trial.unittest import TestCase

from presence.commands.main import COMMANDS, makeParser

# What takes long to import: runs `presence ARGUMENTS…`, and says on its last line what was loaded of it.
SCRIPT = """
import sys
from presence.commands.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
heavy = {"twisted", "buildbot", "buildbot_worker", "dateutil", "zope", "asyncio"}
print("loaded", *sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
"""


class StartTests(TestCase):
    """What is imported before a command does anything; `make bench` says how long that takes."""

    def loaded(self, script, *arguments):
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True, cwd="/"
        )
        return done.stdout.splitlines()[-1], done.stdout

    def test_light(self):
        """The help and the owner's and the admin's commands import neither Twisted nor Buildbot nor dateutil."""
        for arguments in (
            ["--help"],
            ["status", "--help"],
            ["status"],
            ["away", "--for", "2h", "--reason", "rendering"],
            ["stop", "--deadline", "18:00"],
            ["install"],
            ["workers", "--help"],
            ["drain", "--help"],
            ["reconfig", "--deadline", "18:00", "/"],
            ["stop-master", "--help"],
        ):
            self.assertEqual(self.loaded(SCRIPT, *arguments)[0], "loaded", arguments)

    def test_package(self):
        """`import presence` imports nothing else, and its names are there when they are used."""
        script = (
            "import sys; import presence; "
            "print([name for name in sys.modules if name.startswith('presence.')], presence.Break.__name__)"
        )
        self.assertEqual(self.loaded(script)[0], "[] Break")

    def test_list(self):
        """The list of the commands says of each what its own module says of it."""
        for name, (_, text) in COMMANDS.items():
            (action,) = makeParser(name)._subparsers._group_actions
            own = {each.dest: each.help for each in action._choices_actions}
            self.assertEqual(own[name], text)
