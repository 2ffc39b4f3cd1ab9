"""`presence workers`, `hold`, `release`, `builders`, `watch`: the admin's commands, over the master's REST API."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING, Any

from presence.commands.exits import DONE
from presence.commands.master.client import MasterError, NotThereError
from presence.commands.master.command import (
    ORDER_EXITS,
    addCommand,
    addForce,
    addJson,
    addSelection,
    adminText,
    forced,
    matching,
    order,
    ordered,
    reasonOption,
    selected,
)
from presence.commands.options import UsageError, addUntil, untilOf
from presence.commands.terminal import AVAILABLE
from presence.text import plain
from presence.words.waiting import BUILDER_ONLY

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from presence.commands.master.client import MasterClient

_STATES = {
    "available": AVAILABLE,
    "away": "NOT_ACCEPTING_NEW_BUILDS",
    "not_accepting_new_builds": "NOT_ACCEPTING_NEW_BUILDS",
}


def addParser(subparsers: Any) -> None:
    """Add the commands to the command line."""
    workers = addCommand(
        subparsers, "workers", _workers, "list the workers of a master, and why they do not build"
    )
    addSelection(workers)
    workers.add_argument(
        "--state", type=_state, metavar="STATE", help="only those that are available, or away"
    )
    addJson(workers)

    text = "let workers accept no more builds; what runs is finished"
    hold = addCommand(subparsers, "hold", _hold, text, exits=ORDER_EXITS)
    addSelection(hold)
    hold.add_argument("--reason", type=reasonOption, help="why, for everybody who wonders")
    addUntil(hold)
    hold.add_argument(
        "--source",
        metavar="NAME",
        help="push a hold in the name of what measures something, such as zabbix: beside all others, renewed by the same "
        "command, and gone when that stops; needs --for or --until, a day at most",
    )
    addForce(hold)
    _add_builder_only(hold, f"hold a builder instead of workers: {BUILDER_ONLY}")
    addJson(hold, lines=True)

    text = "end what `presence hold` has begun"
    release = addCommand(subparsers, "release", _release, text, exits=ORDER_EXITS)
    addSelection(release)
    release.add_argument(
        "--source", metavar="NAME", help="end what `hold --source NAME` has pushed, and nothing else"
    )
    _add_builder_only(release, "end what `hold --builder-only` has begun")
    addJson(release, lines=True)

    builders = addCommand(
        subparsers,
        "builders",
        _builders,
        "list the builders of a master, and how many workers are ready for each",
    )
    builders.add_argument(
        "builders", nargs="*", metavar="BUILDER", help="a name, or a pattern such as 'win*'"
    )
    addJson(builders)

    watch = addCommand(subparsers, "watch", _watch, "follow the changes, one line each, until Ctrl-C")
    addSelection(watch)
    addJson(watch, lines=True)


def _add_builder_only(parser: ArgumentParser, text: str) -> None:
    parser.add_argument("--builder-only", metavar="NAME", help=f"{text}; a name, or a pattern")


def _workers(options: Namespace, client: MasterClient) -> int:
    found = [each for each in selected(options, client) if options.state in (None, _state_of(each))]
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        print(adminText().workers(found, stopping=_isStopping(client)))
    return DONE


def _builders(options: Namespace, client: MasterClient) -> int:
    found = matching(options.builders, client.get("builderpresences"), "builder")
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        print(adminText().builders(found, stopping=_isStopping(client)))
    return DONE


def _isStopping(client: MasterClient) -> bool:
    """Whether the master stops: then nothing is available, whatever the workers say."""
    try:
        (shutdown,) = client.get("shutdown")
    except NotThereError:
        # an older one
        return False
    return bool(shutdown["state"] == "stopping")


def _hold(options: Namespace, client: MasterClient) -> int:
    if options.builder_only is not None:
        return _order_builders(options, client, "hold", reason=options.reason, until=untilOf(options))
    if options.source is not None and untilOf(options) is None:
        raise UsageError(
            "--source pushes a hold that ends unless it is renewed: give --for or --until, as in --for 5m"
        )
    workers = ordered(options, client, "hold")
    if options.source is not None:
        push = {"source": options.source, "reason": options.reason, "until": untilOf(options)}
        return order(options, workers, client, "push", **push)
    return order(
        options, workers, client, "hold", reason=options.reason, until=untilOf(options), **forced(options)
    )


def _release(options: Namespace, client: MasterClient) -> int:
    if options.builder_only is not None:
        return _order_builders(options, client, "release")
    workers = ordered(options, client, "release")
    if options.source is not None:
        return order(options, workers, client, "withdraw", source=options.source)
    return order(options, workers, client, "release")


def _order_builders(options: Namespace, client: MasterClient, action: str, **params: Any) -> int:
    """Order something of the builders themselves: all are looked up before the first is told."""
    if options.workers or options.builder is not None or options.source is not None:
        raise UsageError(
            "--builder-only is about builders: name no workers, no --builder and no --source with it"
        )
    for each in matching([options.builder_only], client.get("builderpresences"), "builder"):
        after = client.post(f"builderpresences/{each['builderid']}", action, **params)
        print(json.dumps(after) if options.json else adminText().builderChange(after), flush=True)
    return DONE


def _watch(options: Namespace, client: MasterClient) -> int:
    names = frozenset(each["name"] for each in selected(options, client))
    everybody = not options.workers and options.builder is None

    def begun() -> None:
        if not options.json:
            print(
                f"following {'all workers' if everybody else ', '.join(map(plain, sorted(names)))}",
                flush=True,
            )

    for key, worker in client.events("presences/*/*", begun):
        if everybody or worker["name"] in names:
            if options.json:
                print(json.dumps(worker), flush=True)
            elif key[-1] == "removed":
                print(f"{adminText().change(worker)}, removed from the configuration", flush=True)
            else:
                print(adminText().change(worker), flush=True)
    raise MasterError(f"{client.url} has ended the connection")


def _state_of(worker: dict[str, Any]) -> str:
    """Whether builds start on it: none do where something else than a hold keeps every build away."""
    return _STATES["away"] if worker.get("blocked") else str(worker["state"])


def _state(text: str) -> str:
    try:
        return _STATES[text.lower()]
    except KeyError:
        raise ArgumentTypeError(f"{text!r} is not a state: write available or away") from None
