"""What an owner says before the worker is started: kept where the worker takes it up."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from presence.commands import exits
from presence.commands.owner.client import LocalError
from presence.commands.terminal import Clocks
from presence.files import Lock
from presence.worker.store import Store, StoreError, Wish

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path


def keep(options: Namespace, basedir: Path, order: str, until: float | None, why: LocalError) -> str:
    """Keep the order (``away``, ``back`` or ``work``) of an owner whose worker in `basedir` does not run, for `why`; what to print.

    Raises `LocalError`.
    """
    lock = Lock(basedir)
    if not lock.acquire():
        # it begins or ends just now, and has read the file or has not
        raise LocalError(exits.FAILED, f"{why}; it begins or ends just now: say it again")
    try:
        wish = _kept(Store(str(basedir)), options, basedir, order, until)
    finally:
        lock.release()
    if options.json:
        away = wish.away
        said = away and {"reason": away.reason, "since": away.since, "until": away.until}
        return json.dumps({"running": False, "away": said, "work_until": wish.workUntil}, indent=2)
    return f"The worker in {basedir.absolute()} does not run; {_text(wish)}."


def _kept(store: Store, options: Namespace, basedir: Path, order: str, until: float | None) -> Wish:
    now = time.time()
    try:
        wish = store.load()
        if order == "away":
            wish = wish.saying(now, options.reason, until)
        elif order == "back":
            wish = replace(wish, away=None)
        else:
            wish = replace(wish, workUntil=until)
        store.save(wish, _owner(basedir))
    except StoreError as problem:
        raise LocalError(exits.FAILED, str(problem)) from None
    except ValueError as problem:
        raise LocalError(exits.REFUSED, str(problem)) from None
    return wish


def _owner(basedir: Path) -> tuple[int, int] | None:
    """Whose the file is to be: that of the directory's account, when root says it."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    found = basedir.stat()
    return found.st_uid, found.st_gid


def _text(wish: Wish) -> str:
    moment = Clocks.here().moment
    away = wish.awayAt(time.time())
    if away is not None:
        end = "" if away.until is None else f", until {moment(away.until)}"
        reason = "" if away.reason is None else f" ({away.reason})"
        return f"from its start on it is away{reason}{end}"
    if wish.workUntil is not None:
        return f"from its start on it works in spite of its breaks, until {moment(wish.workUntil)}"
    return "from its start on it accepts builds, unless a break or a sensor holds it"
