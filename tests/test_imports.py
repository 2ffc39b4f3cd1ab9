"""The rule between the rooms (docs/architecture.rst), held by reading every import, also those for type checking."""

import ast
from collections import Counter
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import presence

ROOT = Path(presence.__file__).parent

# The rooms from the lowest floor to the highest. A room imports from its own floor and from those below.
FLOORS = (
    {"errors", "text", "files", "calendar", "words"},
    {"breaks"},
    {"model"},
    {"wire", "orders"},
    {"master.builds", "master.mirror", "master.enrolled", "master.note", "master.owner"},
    {"master.roster", "master.starting"},
    {"master.holding", "master.quiesce"},
    {"master.api"},
    {"master.authz", "master.assembly"},
    {"master.slave", "master.service"},
    {"master.buildslave"},
    {"master.www"},
    {"worker.store", "worker.status", "worker.tacfile", "worker.stopping", "worker.link"},
    {"worker.owner"},
    {"worker.local"},
    {"worker.client"},
    {"demo"},
    {"commands.exits", "commands.options", "commands.terminal", "commands.breakstext"},
    {"commands.breaks", "commands.demo", "commands.master", "commands.owner"},
    {"commands.main"},
)

# What the move has yet to cut: importer -> imported. It only ever gets shorter.
OFFENCES = {
    "worker.local.api": ["worker.client"],
    "worker.local.server": ["worker.client"],
}
# Files that have yet to be cut.
LONG_STILL: dict[str, int] = {}

# How many files of its own a folder may have, and how many lines a file.
CROWD = 14
LONG = 400

STDLIB_OF_CLOCKS = {"time", "sched"}


def modules():
    """{dotted name below presence: path} of every module of the package but its own `__init__`s."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[-1] != "__init__":
            found[".".join(parts)] = path
    return found


MODULES = modules()


def imports(path):
    """Every name that `path` imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def graph():
    """{module: the modules of this package that it imports}."""
    arrows = {}
    for module, path in MODULES.items():
        arrows[module] = set()
        for name in imports(path):
            parts = name.split(".")
            if parts[0] != "presence":
                continue
            while parts and ".".join(parts[1:]) not in MODULES:
                parts.pop()
            if parts:
                arrows[module].add(".".join(parts[1:]))
        arrows[module].discard(module)
    return arrows


def room(module):
    """The room in which a module stands."""
    for floor in FLOORS:
        for name in floor:
            if module == name or module.startswith(name + "."):
                return name
    return None


def floor(module):
    return next((place for place, rooms in enumerate(FLOORS) if room(module) in rooms), None)


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
        rooms = {}
        for module, imported in arrows.items():
            rooms.setdefault(room(module), set()).update(
                room(other) for other in imported if room(other) != room(module)
            )
        self.assertEqual(circles(rooms), [])

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

    def test_smallRooms(self):
        """No folder is crowded, and no file is long."""
        crowd = Counter(path.parent.relative_to(ROOT) for path in MODULES.values())
        self.assertEqual({str(folder): n for folder, n in crowd.items() if n > CROWD}, {})
        long = {
            module: lines
            for module, path in MODULES.items()
            if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONG
        }
        self.assertEqual(long, LONG_STILL)
