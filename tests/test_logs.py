import ast
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import presence

# What Twisted's own log files read of an event: an event that means something else by it is lost.
TAKEN = {"time", "system", "format", "isError", "printed"}


class LogTests(SynchronousTestCase):
    def test_keys(self):
        """No event that we log has a key that Twisted takes for its own."""
        calls, found = 0, []
        for path in Path(presence.__file__).parent.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("_log."):
                    calls += 1
                    found += [f"{path}:{node.lineno}" for each in node.keywords if each.arg in TAKEN]
        self.assertGreater(calls, 50)
        self.assertEqual(found, [])
