"""The rule between the rooms (docs/architecture.rst), held by reading every import, also those for type checking."""

import ast
from collections import Counter
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from presence.words.holds import DRAIN, HOLDS
from tests.rooms import MODULES, ROOT, floor, graph, imports, nodes, room, roomGraph

# What the move has yet to cut: importer -> imported. It only ever gets shorter.
OFFENCES: dict[str, list[str]] = {}
# Files that have yet to be cut.
LONG_STILL: dict[str, int] = {}

# How many files of its own a folder may have, and how many lines a file.
CROWD = 14
LONG = 400

STDLIB_OF_CLOCKS = {"time", "sched"}


def circles(arrows):
    """The nodes from which a way leads back to them."""

    def reached(start):
        seen, todo = set(), [start]
        while todo:
            new = arrows.get(todo.pop(), set()) - seen
            seen |= new
            todo += new
        return seen

    return sorted(node for node in arrows if node in reached(node))


class ImportTests(SynchronousTestCase):
    def assertImportsNone(self, module, forbidden):
        for name in imports(MODULES[module]):
            for prefix in forbidden:
                self.assertFalse(name == prefix or name.startswith(prefix + "."), f"{module} imports {name}")

    def below(self, *rooms):
        return [module for module in MODULES if any(f"{module}.".startswith(f"{name}.") for name in rooms)]

    def test_everyModuleHasARoom(self):
        """Every module stands in one of the rooms."""
        self.assertEqual([module for module in MODULES if room(module) is None], [])

    def test_benchmarks(self):
        """What a benchmark takes from us is there: none of them is run by a test."""
        files = sorted((ROOT.parent / "benchmarks").glob("*.py"))
        if not files:
            raise SkipTest("benchmarks are not installed with the tests")
        missing = []
        for path in files:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith("presence."):
                    module = import_module(node.module)
                    submodules = {each.name for each in iter_modules(getattr(module, "__path__", ()))}
                    missing += [
                        f"{path.name}: {node.module}.{each.name}"
                        for each in node.names
                        if each.name not in submodules and not hasattr(module, each.name)
                    ]
        self.assertEqual(missing, [])

    def test_onlyDownwards(self):
        """No import leads to a higher floor, nor from a worker to a master."""
        offences = {}
        for module, imported in graph().items():
            for other in imported:
                strangers = {module.split(".")[0], other.split(".")[0]} == {"master", "worker"}
                circle = other in OFFENCES.get(module, ()) and floor(other) == floor(module)
                if strangers or circle or (floor(other) or 0) > (floor(module) or 0):
                    offences.setdefault(module, set()).add(other)
        self.assertEqual(offences, {module: set(others) for module, others in OFFENCES.items()})

    def test_noCircles(self):
        """No module imports itself, by whatever way; nor does a room."""
        arrows = {module: imported - set(OFFENCES.get(module, ())) for module, imported in graph().items()}
        self.assertEqual(circles(arrows), [])
        self.assertEqual(circles(roomGraph(arrows)), [])

    def test_pure(self):
        """The calendar, the breaks, the orders and the messages know no Twisted, no Buildbot and no clock."""
        pure = self.below("calendar", "breaks", "orders", "wire.messages", "wire.reading", "errors", "text")
        for module in [*pure, "model.states"]:
            self.assertImportsNone(module, ["twisted", "buildbot", "buildbot_worker", *STDLIB_OF_CLOCKS])
            source = MODULES[module].read_text(encoding="utf-8")
            for call in (".now(", ".today(", ".utcnow("):
                self.assertNotIn(call, source, f"presence.{module} asks the time")

    def test_model(self):
        """The model knows no Buildbot and no clock but the one that it is given; one module creates Deferreds."""
        for module in self.below("model"):
            # the guard compares that clock with another one
            clocks = () if module == "model.clockguard" else STDLIB_OF_CLOCKS
            self.assertImportsNone(
                module, ["buildbot", "buildbot_worker", "twisted.internet.reactor", *clocks]
            )
            if module != "model.waiters":
                source = MODULES[module].read_text(encoding="utf-8")
                for made in ("Deferred(", "succeed(", "fail("):
                    self.assertNotIn(made, source, f"presence.{module} makes a Deferred")

    def test_strangers(self):
        """The master's side never imports Buildbot's worker, nor the worker's side its master."""
        for module in self.below("master"):
            self.assertImportsNone(module, ["buildbot_worker"])
        for module in self.below("worker"):
            self.assertImportsNone(module, ["buildbot"])

    def test_oneCasing(self):
        """The fields of all JSON whose shape is written down are in lower case, with underscores."""
        fields = {}
        for module, path in MODULES.items():
            for node in nodes(path):
                if isinstance(node, ast.ClassDef) and "TypedDict" in map(ast.unparse, node.bases):
                    named = [each.target.id for each in node.body if isinstance(each, ast.AnnAssign)]
                    fields[f"{module}.{node.name}"] = named
        self.assertIn("worker.status.Status", fields)
        self.assertEqual({name for named in fields.values() for name in named if name != name.lower()}, set())

    def test_smallRooms(self):
        """No folder is crowded, and no file is long."""
        # those of the pages, too
        files = [
            path
            for path in ROOT.rglob("*")
            if path.is_file() and path.name != "__init__.py" and "__pycache__" not in path.parts
        ]
        crowd = Counter(path.parent.relative_to(ROOT) for path in files)
        self.assertEqual({str(folder): n for folder, n in crowd.items() if n > CROWD}, {})
        long = {
            str(path.relative_to(ROOT)): lines
            for path in files
            if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONG
        }
        self.assertEqual(long, LONG_STILL)

    def test_smallTests(self):
        """No file of the tests is long either."""
        long = {
            path.name: lines
            for path in Path(__file__).parent.rglob("*.py")
            if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONG
        }
        self.assertEqual(long, {})


class WordsTests(SynchronousTestCase):
    def test_oneHome(self):
        """No other file of the package has a name of a hold of its own."""
        names = [name for pair in (*HOLDS.values(), DRAIN) for name in pair if name.startswith("held")]
        self.assertIn("held by an admin", names)
        for path in ROOT.rglob("*.*"):
            if path.suffix in {".py", ".js", ".html"} and path.name != "holds.py":
                text = path.read_text(encoding="utf-8")
                for name in filter(text.__contains__, names):
                    for quoted in (f'"{name}', f">{name}", f"`{name}", f' {name}"', f" {name}`"):
                        self.assertNotIn(quoted, text, path)
