import ast
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import presence

ROOT = Path(presence.__file__).parent

GROUND = {
    "errors",
    "adminrecord",
    "durations",
    "interfaces",
    "messages",
    "moments",
    "orders",
    "shutdownorders",
    "reconfigorders",
    "reconfigplan",
    "states",
    "breaks",
    "calendar",
    "comingbreaks",
}
MIDDLE = {"waiters", "workerpresence", "builderpresence", "breaktimer", "clockguard"}
EDGE = {"master", "worker", "commands", "demo"}

STDLIB_OF_CLOCKS = {"time", "sched"}


def modules():
    """(dotted name below presence, path) of every module of the package."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(part for part in parts if part != "__init__"), path


def imports(path):
    """Every module that `path` imports, anywhere in it, those for type checking only excepted."""
    found = set()

    class Visitor(ast.NodeVisitor):
        def visit_If(self, node):
            if not (isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
                self.generic_visit(node)

        def visit_Import(self, node):
            found.update(alias.name for alias in node.names)

        def visit_ImportFrom(self, node):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)

    Visitor().visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


def floor(module):
    head = module.split(".")[0]
    for name, members in (("ground", GROUND), ("middle", MIDDLE), ("edge", EDGE)):
        if head in members or any(head.startswith(member) and member == "demo" for member in members):
            return name
    return None


class FloorTests(SynchronousTestCase):
    def assertImportsNone(self, module, path, forbidden):
        for imported in imports(path):
            for prefix in forbidden:
                self.assertFalse(
                    imported == prefix or imported.startswith(prefix + "."),
                    f"presence.{module} imports {imported}",
                )

    def test_everyModuleHasAFloor(self):
        """Every module stands on one of the floors: ground, middle or edge."""
        for module, _ in modules():
            if module:
                self.assertIsNotNone(floor(module), f"presence.{module}: on which floor does it stand?")

    def test_onlyDownwards(self):
        """Ground imports no middle and no edge; middle imports no edge."""
        for module, path in modules():
            above = {"ground": MIDDLE | EDGE, "middle": EDGE}.get(
                floor(module) if module else "middle", set()
            )
            self.assertImportsNone(module, path, [f"presence.{name}" for name in above])

    def test_ground(self):
        """The ground floor knows no Twisted, no Buildbot and no clock."""
        for module, path in modules():
            if floor(module) == "ground":
                self.assertImportsNone(
                    module, path, ["twisted", "buildbot", "buildbot_worker", *STDLIB_OF_CLOCKS]
                )
                source = path.read_text(encoding="utf-8")
                for call in (".now(", ".today(", ".utcnow("):
                    self.assertNotIn(call, source, f"presence.{module} asks the time")

    def test_middle(self):
        """The middle floor, and `import presence` itself, know no Buildbot and no clock but the one given."""
        for module, path in modules():
            if not module or floor(module) == "middle":
                self.assertImportsNone(
                    module,
                    path,
                    ["buildbot", "buildbot_worker", "twisted.internet.reactor", *STDLIB_OF_CLOCKS],
                )

    def test_masterAndWorkerAreStrangers(self):
        """master/ and worker/ never import each other, and worker/ never imports Buildbot's master."""
        for module, path in modules():
            if module.startswith("master"):
                self.assertImportsNone(module, path, ["presence.worker", "buildbot_worker"])
            if module.startswith("worker"):
                self.assertImportsNone(module, path, ["presence.master", "buildbot"])

    def test_deferredsAreMadeInOnePlace(self):
        """Below the edge only `waiters` creates Deferreds."""
        for module, path in modules():
            if floor(module) in {"ground", "middle"} and module != "waiters":
                self.assertImportsNone(module, path, ["twisted.internet.defer"])
