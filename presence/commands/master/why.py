"""`presence why`: why requests wait, and when they may start, over the master's REST API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from presence.commands.exits import DONE
from presence.commands.master.client import NotThereError
from presence.commands.master.command import addCommand, addJson, adminText, matching
from presence.commands.options import UsageError
from presence.commands.terminal import table
from presence.text import plain
from presence.words.waiting import reasonText, whyText

if TYPE_CHECKING:
    from argparse import Namespace

    from presence.commands.master.client import MasterClient
    from presence.commands.master.text import AdminText

# How many workers the sentence itself tells of, each by name.
_TOLD = 3


def addParser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = addCommand(
        subparsers, "why", _why, "say why requests wait, and when they may start; of a builder, why one would"
    )
    parser.add_argument(
        "about",
        nargs="*",
        metavar="REQUEST|BUILDER",
        help="the number of a request, the name of a builder, or a pattern such as 'win*'; by default all that wait",
    )
    addJson(parser)


def _why(options: Namespace, client: MasterClient) -> int:
    found = _named(options.about, client) if options.about else client.get("requestpresences")
    if options.json:
        print(json.dumps(found, indent=2))
    elif found:
        print("\n".join(_text(each, adminText()) for each in found))
    else:
        print("no request waits")
    return DONE


def _named(about: list[str], client: MasterClient) -> list[dict[str, Any]]:
    """The entities of what the command line names: everything is looked up before anything is printed."""
    # (a builder may have a number for a name: then there is a pattern that is it)
    patterns = [each for each in about if not each.isdecimal()]
    found: list[dict[str, Any]] = []
    for number in filter(str.isdecimal, about):
        found += _request(number, client)
    if patterns:
        for builder in matching(patterns, client.get("builderpresences"), "builder"):
            found += client.get(f"builders/{builder['builderid']}/requestpresence")
    return found


def _request(number: str, client: MasterClient) -> list[dict[str, Any]]:
    try:
        return client.get(f"requestpresences/{int(number)}")
    except NotThereError:
        raise UsageError(f"there is no request {number}: `presence why` shows those that wait") from None


def _text(entity: dict[str, Any], text: AdminText) -> str:
    """All that is known, for people: what it is about, the sentence, of many workers each, and what could be done."""
    lines = [plain(f"{_title(entity, text)}: {whyText(entity, text.now, text.moment)}")]
    workers = entity["workers"]
    if len(workers) > _TOLD:
        rows = [
            (each["name"], "; ".join(reasonText(reason, text.now, text.moment) for reason in each["reasons"]))
            for each in workers
        ]
        lines += [f"  {line}" for line in table(("WORKER", "WHY"), rows).splitlines()]
    hints = dict.fromkeys(each["hint"] for each in entity["summary"] if each["hint"])
    lines += [plain(f"  to do: {hint}") for hint in hints]
    return "\n".join(lines)


def _title(entity: dict[str, Any], text: AdminText) -> str:
    builder = entity["builder"] or f"builder {entity['builderid']}"
    if entity["buildrequestid"] is None:
        return builder
    return f"request {entity['buildrequestid']} of {builder}, since {text.moment(entity['submitted_at'])}"
