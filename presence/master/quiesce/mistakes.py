"""What is wrong with a configuration, each mistake in one line, with the file and the line where it was made."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from buildbot.config import ConfigErrors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType, TracebackType


@contextmanager
def notedPlaces(folder: str) -> Iterator[dict[str, str]]:
    """While a file of `folder` is loaded: where each mistake is made that Buildbot collects, by its text.

    Buildbot collects them in one place of the process, for one configuration at a time; so there is one of this, too.
    """
    places: dict[str, str] = {}
    add = ConfigErrors.addError

    def addError(self: Any, message: str) -> None:
        place = _placeOfFrame(sys._getframe(1), folder)
        if place is not None:
            places.setdefault(message, place)
        add(self, message)

    ConfigErrors.addError = addError
    try:
        yield places
    finally:
        ConfigErrors.addError = add


def mistakesOf(problem: BaseException, folder: str, places: dict[str, str]) -> list[str]:
    """The mistakes for which a configuration was refused, as lines: "master.cfg:12: NameError: name 'x' is not defined"."""
    if not isinstance(problem, ConfigErrors):
        return [_told(problem, folder)]
    cause = _cause(problem)
    lines = []
    for message in problem.errors:
        if cause is not None and _isAbout(message):
            lines.append(_told(cause, folder))
        else:
            place = places.get(message) or _placeOfTraceback(problem.__traceback__, folder)
            lines.append(_line(message, place))
    return lines


def doubled(config: Any) -> list[str]:
    """Names of workers that Buildbot takes twice, and fails at when half of the configuration has been exchanged."""
    counts = Counter(each.workername for each in config.workers)
    return [
        f"{count} workers are called {name}: a name is given once (c['workers'], and what c['configurators'] add)"
        for name, count in counts.items()
        if count > 1
    ]


def _isAbout(message: str) -> bool:
    """Whether Buildbot says with this that the file could not be run."""
    return message.startswith(("error while parsing config file", "encountered a SyntaxError"))


def _cause(problem: BaseException) -> BaseException | None:
    """What went wrong while the file was run, of which Buildbot has made a text."""
    while problem is not None and isinstance(problem, ConfigErrors):
        context = problem.__cause__ or problem.__context__
        if context is None:
            return None
        problem = context
    return problem


def _told(problem: BaseException, folder: str) -> str:
    if isinstance(problem, SyntaxError) and problem.filename:
        place = f"{_short(problem.filename, folder) or problem.filename}:{problem.lineno}"
        text = (problem.text or "").strip()
        return _line(f"{type(problem).__name__}: {problem.msg}{f', in {text}' if text else ''}", place)
    return _line(f"{type(problem).__name__}: {problem}", _placeOfTraceback(problem.__traceback__, folder))


def _line(message: str, place: str | None) -> str:
    # (the traceback in it, if there is one, is in the log)
    text = " ".join(message.split())
    return text if place is None else f"{place}: {text}"


def _placeOfFrame(frame: FrameType | None, folder: str) -> str | None:
    """The innermost line of a file of the site's own, of those that are being run."""
    while frame is not None:
        name = _short(frame.f_code.co_filename, folder)
        if name is not None:
            return f"{name}:{frame.f_lineno}"
        frame = frame.f_back
    return None


def _placeOfTraceback(trace: TracebackType | None, folder: str) -> str | None:
    place = None
    while trace is not None:
        name = _short(trace.tb_frame.f_code.co_filename, folder)
        if name is not None:
            place = f"{name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _short(filename: str, folder: str) -> str | None:
    """The name of a file of the site's own, from its folder; None for one of somebody else's."""
    try:
        name = Path(filename).resolve().relative_to(Path(folder).resolve())
    except ValueError:
        return None
    return None if "site-packages" in name.parts else str(name)
