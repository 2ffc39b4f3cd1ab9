"""The `PresenceClient` in a worker's `buildbot.tac`: put in, and taken out again. Text in, text out.

What a tac file means is read from its syntax tree, never by running it; what is written is checked the same way:
apart from the lines that were asked for, the program has not changed.
"""

from __future__ import annotations

import ast
import tokenize
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from presence.errors import PresenceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: The line above the two lines, by which `uninstalled` knows them.
MARK = "# presence: what this machine's owner says. Put in by `presence install`, taken out by `presence uninstall`."

#: What is appended to the name of the copy that is kept of `buildbot.tac`.
COPY = ".before-presence"

#: The arguments of `PresenceClient` that this module may put in, in their order.
ARGUMENTS = ("sensors", "onReturn", "returnLimit", "notify", "owners", "localPort")

_IMPORT = "from presence.worker.client import PresenceClient"

# what is imported follows
_IMPORT_SENSORS = "from presence.worker.sensors import "

_TOO_DEEP = "it is nested deeper than it can be read: is it the right file?"


class TacFileError(PresenceError):
    """A `buildbot.tac` is not understood, and so it is not touched. The text says why and what would be right."""


class _NotPythonError(TacFileError):
    """It cannot be read as a program."""


class _TooDeepError(TacFileError):
    """It is nested deeper than anybody writes."""


@dataclass(frozen=True)
class _Worker:
    """Where the worker is: its variable, that of the application, and the last line of its `setServiceParent`."""

    name: str
    application: str
    line: int


def installed(
    source: bytes, sensors: Sequence[str] = (), arguments: Mapping[str, str] | None = None
) -> bytes:
    """`source`, the content of a `buildbot.tac`, with a `PresenceClient` beside its worker, and with these sensors, each
    as it is written there: ``Used('15m')``. `arguments` are others of `ARGUMENTS`, likewise: ``{"localPort": "8123"}``.

    The same content when there is a client already, put in by this function or by hand, and nothing is given; what is given
    takes the place of what this function has put in of the same name. Raises `TacFileError`, also when the client that is
    there has arguments of its owner's.
    """
    tree = _parse(source)
    given = dict(arguments or {})
    if sensors:
        given["sensors"] = f"[{', '.join(sensors)}]"
    clients = [call for call in map(_makes_client, ast.walk(tree)) if call is not None]
    if clients and not given:
        return source
    imported = [_import_of(sensors)] if sensors else []
    if clients:
        if not sensors:
            imported = _imports_of(source, tree)
        source, kept = _without_ours(source, clients[0], given, imported)
        given = {**kept, **given}
        tree = _parse(source)
    worker = _worker(tree)
    lines = source.splitlines(keepends=True)
    newline = b"\r\n" if lines[worker.line - 1].endswith(b"\r\n") else b"\n"
    if not lines[worker.line - 1].endswith((b"\n", b"\r")):
        lines[worker.line - 1] += newline
    written = ", ".join([worker.name, *(f"{name}={given[name]}" for name in ARGUMENTS if name in given)])
    call = f"PresenceClient({written}).setServiceParent({worker.application})"
    # a name may be of any alphabet
    encoding, _ = tokenize.detect_encoding(BytesIO(source).readline)
    added = [
        line.encode(encoding.removesuffix("-sig")) + newline for line in (MARK, _IMPORT, *imported, call)
    ]
    result = b"".join([*lines[: worker.line], *added, *lines[worker.line :]])
    _check_only_ours(source, result)
    return result


def uninstalled(source: bytes) -> bytes:
    """`source` without what `installed` has put in, also when the client was given arguments since.

    The same content when there is no client in it. Raises `TacFileError`, also for a client that somebody has put in by hand.
    """
    tree = _parse(source)
    lines = source.splitlines(keepends=True)
    marks = [number for number, line in enumerate(lines) if line.strip() == MARK.encode("ascii")]
    clients = [call.lineno for call in map(_makes_client, ast.walk(tree)) if call is not None]
    if not marks and not clients:
        return source
    if not marks:
        raise TacFileError(
            f"`presence install` has not put in the PresenceClient in line {clients[0]}: take it out with an editor"
        )
    if len(marks) > 1:
        raise TacFileError(
            f"the line of `presence install` is there {len(marks)} times: take it out with an editor"
        )
    [mark] = marks
    end = _end_of_ours(tree, mark + 1)
    result = b"".join([*lines[:mark], *lines[end:]])
    _check_only_ours(result, source)
    return result


def _import_of(sensors: Sequence[str]) -> str:
    return f"{_IMPORT_SENSORS}{', '.join(sorted({each.partition('(')[0] for each in sensors}))}"


def _imports_of(source: bytes, tree: ast.Module) -> list[str]:
    """The line that imports sensors, if there is one."""
    found = [each for each in tree.body if _imports_sensors(each)]
    return [_written(source, each) for each in found[:1]]


def _written(source: bytes, node: ast.AST) -> str:
    """What is written there."""
    text = source.decode(tokenize.detect_encoding(BytesIO(source).readline)[0])
    return ast.get_source_segment(text, node) or ""


def _without_ours(
    source: bytes, client: ast.Call, given: Mapping[str, str], imports: Sequence[str]
) -> tuple[bytes, dict[str, str]]:
    """`source` without what this module has put in, which has no arguments but `ARGUMENTS`; and what these are."""
    names = [each.arg for each in client.keywords]
    if MARK.encode("ascii") in source and len(client.args) == 1 and set(names) <= set(ARGUMENTS):
        kept = {str(each.arg): _written(source, each.value) for each in client.keywords}
        return uninstalled(source), kept
    above = f", and in a line above {imports[0]}" if "sensors" in given else ""
    raise TacFileError(
        f"the PresenceClient in line {client.lineno} has arguments of yours, or was put in by hand: write there "
        f"{', '.join(f'{name}={value}' for name, value in given.items())}{above}"
    )


def _parse(source: bytes) -> ast.Module:
    try:
        return ast.parse(source, "buildbot.tac")
    except SyntaxError as problem:
        where = "it" if problem.lineno is None else f"line {problem.lineno}"
        raise _NotPythonError(f"{where} is not Python ({problem.msg}): correct that first") from problem
    except (MemoryError, RecursionError):
        raise _TooDeepError(_TOO_DEEP) from None
    except ValueError as problem:
        raise _NotPythonError(f"it is not text ({problem}): is it the right file?") from problem


def _worker(tree: ast.Module) -> _Worker:
    called = {name: _calls_of(tree, name) for name in ("Worker", "BuildMaster")}
    if called["BuildMaster"]:
        raise TacFileError(
            "it is a master's: a presence is installed on a worker's side, in the worker's directory"
        )
    workers = called["Worker"]
    if not workers:
        raise TacFileError("no `s = Worker(…)` is in it, as `buildbot-worker create-worker` writes it")
    if len(workers) > 1:
        where = ", ".join(str(call.lineno) for call in workers)
        raise TacFileError(
            f"several workers are in it (lines {where}), and each needs a directory of its own"
        )
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and statement.value is workers[0]:
            [*others, target] = statement.targets
            if not others and isinstance(target, ast.Name):
                return _parent(tree, target.id)
    raise TacFileError(
        f"line {workers[0].lineno} does not read `s = Worker(…)`, at the left margin, as `buildbot-worker "
        "create-worker` writes it"
    )


def _calls_of(tree: ast.Module, name: str) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Name) and node.func.id == name)
            or (isinstance(node.func, ast.Attribute) and node.func.attr == name)
        )
    ]


def _parent(tree: ast.Module, worker: str) -> _Worker:
    """Where `worker.setServiceParent(application)` is."""
    for statement in tree.body:
        match statement:
            case ast.Expr(
                ast.Call(ast.Attribute(ast.Name(name), "setServiceParent"), [ast.Name(application)], [])
            ) if name == worker:
                return _Worker(worker, application, statement.end_lineno or statement.lineno)
    raise TacFileError(f"no line `{worker}.setServiceParent(application)` is in it, at the left margin")


def _makes_client(statement: ast.AST) -> ast.Call | None:
    """The call of `PresenceClient`, if that is what the statement is for."""
    match statement:
        case ast.Expr(
            ast.Call(ast.Attribute(ast.Call(ast.Name("PresenceClient")) as call, "setServiceParent"))
        ):
            return call
        case ast.Assign(value=ast.Call(ast.Name("PresenceClient")) as call):
            return call
    return None


def _imports_client(statement: ast.stmt) -> bool:
    match statement:
        case ast.ImportFrom("presence.worker.client", [ast.alias("PresenceClient", None)], 0):
            return True
    return False


def _imports_sensors(statement: ast.stmt) -> bool:
    match statement:
        case ast.ImportFrom("presence.worker.sensors", _, 0):
            return True
    return False


def _is_ours(tree: ast.Module) -> Iterator[tuple[ast.stmt, ...]]:
    """The import and the call that follows it, and the import of sensors between them if there is one."""
    for at, first in enumerate(tree.body):
        if not _imports_client(first):
            continue
        following = tree.body[at + 1 : at + 3]
        between = following[:1] if following and _imports_sensors(following[0]) else []
        for call in following[len(between) : len(between) + 1]:
            if isinstance(call, ast.Expr) and _makes_client(call) is not None:
                yield first, *between, call


def _end_of_ours(tree: ast.Module, mark: int) -> int:
    """The last line of what stands below line `mark` (from 1)."""
    for ours in _is_ours(tree):
        if [each.lineno for each in ours] == list(range(mark + 1, mark + 1 + len(ours))) and ours[
            -1
        ].end_lineno:
            return ours[-1].end_lineno
    raise TacFileError(
        f"what `presence install` has put in below line {mark} was changed, apart from the arguments of "
        "PresenceClient: take it out with an editor"
    )


def _check_only_ours(without: bytes, with_: bytes) -> None:
    """That nothing but our two statements distinguishes these programs."""
    with suppress(_NotPythonError):
        fewer, more = _parse(without), _parse(with_)
        for ours in _is_ours(more):
            rest = [statement for statement in more.body if statement not in ours]
            try:
                if ast.dump(ast.Module(rest, [])) == ast.dump(fewer):
                    return
            except RecursionError:
                raise _TooDeepError(_TOO_DEEP) from None
    raise TacFileError("other statements share a line with the worker's: give each a line of its own")
