"""The rooms of the package, and what its modules import of each other, read from their source."""

import ast
from functools import cache
from pathlib import Path

import presence

ROOT = Path(presence.__file__).parent

# The rooms from the lowest floor to the highest. A room imports from its own floor and from those below.
FLOORS = (
    {"errors", "lazy", "text", "files", "calendar", "words"},
    {"breaks"},
    {"model"},
    {"wire", "orders", "testing"},
    {"master.compat", "master.stored", "master.wholeconfig"},
    {
        "master.builds",
        "master.mirror",
        "master.listening",
        "master.enrolled",
        "master.note",
        "master.owner",
        "master.groups",
        "master.conditions",
    },
    {"master.roster", "master.starting"},
    {"master.holding", "master.quiesce", "master.breaks", "master.happenings"},
    {"master.farm"},
    {"master.why"},
    {"master.api"},
    {"master.trail", "master.metrics", "master.absence"},
    {"master.authz"},
    {"master.reporters"},
    {"master.access", "master.assembly", "master.later", "master.telling"},
    {"master.slave"},
    {"master.buildslave", "master.terms"},
    {"master.adoption", "master.enable", "master.service"},
    {"master.www"},
    {
        "worker.store",
        "worker.status",
        "worker.tacfile",
        "worker.stopping",
        "worker.link",
        "worker.looking",
        "worker.sensors",
        "worker.returning",
        "worker.notifying",
    },
    {"worker.owner"},
    {"worker.local"},
    {"worker.client"},
    {"demo"},
    {
        "commands.ancestry",
        "commands.exits",
        "commands.http",
        "commands.options",
        "commands.terminal",
        "commands.breakstext",
    },
    {
        "commands.breaks",
        "commands.completion",
        "commands.demo",
        "commands.doctor",
        "commands.master",
        "commands.owner",
        "commands.rolling",
    },
    {"commands.main"},
)


def modules():
    """{dotted name below presence: path} of every module of the package but its own `__init__`s."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[-1] != "__init__":
            found[".".join(parts)] = path
    return found


MODULES = modules()


@cache
def nodes(path):
    """All that stands in `path`."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@cache
def imports(path):
    """Every name that `path` imports, anywhere in it."""
    found = set()
    for node in nodes(path):
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
    """The number of the floor on which its room is; None if it has none."""
    return next((place for place, rooms in enumerate(FLOORS) if room(module) in rooms), None)


def roomGraph(arrows):
    """{room: the other rooms that its modules import} for a graph of modules."""
    rooms = {}
    for module, imported in arrows.items():
        others = {room(other) for other in imported} - {room(module)}
        rooms.setdefault(room(module), set()).update(others)
    return rooms
