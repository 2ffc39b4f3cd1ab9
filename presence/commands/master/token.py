"""`presence token make`, `list`, `revoke`: tokens with which scripts order without a login. They are in the master's directory."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from presence.commands.exits import DONE, FAILED, USAGE
from presence.commands.options import UsageError, addUntil, untilOf
from presence.commands.terminal import Clocks, complain, table
from presence.orders.abilities import ABILITIES, readAbilities
from presence.text import suggestion
from presence.wire.masternote import NoMasterError, checkMasterDirectory
from presence.wire.secrets import TOKEN, digestOf, newSecret
from presence.wire.tokens import MOST, Token, TokensError, changeTokens, readTokens

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable

#: For how long a token is good, when nobody says, in seconds.
DEFAULT = 90 * 86400

_DESCRIPTION = """\
Tokens with which scripts order without a login, as `Authorization: Bearer TOKEN` over the REST API and with PRESENCE_TOKEN in
the environment. Each has a name, a user whose rights it has at most, the orders that it is for, and an end. Only a digest is
kept, in MASTERDIR, so this has to be run there by the account of the master; the master need not run, and what is revoked is
so at once.
"""


_EXITS = "exit status: 0 done; 1 the tokens cannot be read or written; 2 usage error, nothing was done"


def addParser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "token",
        help="let scripts order without a login: tokens with a user, orders and an end",
        description=_DESCRIPTION,
        epilog=_EXITS,
    )
    commands = parser.add_subparsers(metavar="make|list|revoke", required=True)

    make = _add(commands, "make", _make, "make a token and print it, this once")
    make.add_argument("name", metavar="NAME", help="what the token is called in the log and in the list")
    make.add_argument(
        "--user", required=True, help="whose rights it has: the user as the rules in master.cfg know him"
    )
    make.add_argument(
        "--email", help="his address, where the rules go by addresses; by default USER, if that is one"
    )
    make.add_argument(
        "--group",
        action="append",
        default=[],
        help="a group of his, where the rules go by groups; may be repeated",
    )
    make.add_argument(
        "--may",
        required=True,
        nargs="+",
        action="extend",
        metavar="ORDER",
        help=f"what may be ordered with it, one or more of {', '.join(ABILITIES.values())}",
    )
    addUntil(make)
    make.add_argument("--forever", action="store_true", help="it has no end (by default it ends in 90 days)")
    make.add_argument(
        "--json",
        action="store_true",
        help="print what is kept but the digest, and the token itself as secret",
    )

    show = _add(commands, "list", _list, "list the tokens, without their secrets")
    show.add_argument("--json", action="store_true", help="print what is kept, but the digests")

    revoke = _add(commands, "revoke", _revoke, "let tokens be good for nothing, at once")
    revoke.add_argument("names", nargs="+", metavar="NAME", help="the name of the token")
    revoke.add_argument("--json", action="store_true", help="print the names as JSON")


def _add(commands: Any, name: str, command: Callable[[Namespace], int], text: str) -> ArgumentParser:
    parser: ArgumentParser = commands.add_parser(
        name, help=text, description=f"{text[0].upper()}{text[1:]}.", epilog=_EXITS
    )
    parser.add_argument("masterdir", type=Path, metavar="MASTERDIR", help="the master's directory")
    parser.set_defaults(run=_run, command=command)
    return parser


def _run(options: Namespace) -> int:
    try:
        checkMasterDirectory(options.masterdir)
        return int(options.command(options))
    except (UsageError, NoMasterError) as problem:
        return complain(problem, USAGE)
    except TokensError as problem:
        return complain(problem, FAILED)


def _make(options: Namespace) -> int:
    now = time.time()
    end = untilOf(options)
    if options.forever and end is not None:
        raise UsageError("--forever is for a token without an end: leave it out, or --for and --until")
    if not options.forever and end is None:
        end = now + DEFAULT
    secret = newSecret(TOKEN)
    try:
        token = Token(
            options.name,
            options.user,
            readAbilities(options.may),
            now,
            end,
            digestOf(secret),
            options.email,
            tuple(options.group),
        )
    except ValueError as problem:
        raise UsageError(problem) from None

    def change(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
        if any(each.name == token.name for each in tokens):
            raise UsageError(f"there is a token {token.name} already: revoke it first, or take another name")
        if len(tokens) >= MOST:
            raise UsageError(f"there are {MOST} tokens: revoke those that nobody uses any more")
        return (*tokens, token)

    changeTokens(options.masterdir, change)
    if options.json:
        print(json.dumps({**_kept(token), "secret": secret}, indent=2))
        return DONE
    until = "without an end" if end is None else f"until {Clocks.here().moment(end)}"
    print(
        f"{token.name}, for {token.user}: {', '.join(token.may)}; {until}. It is printed this once:",
        file=sys.stderr,
    )
    print(secret)
    return DONE


def _kept(token: Token) -> dict[str, Any]:
    """What is kept of a token, but the digest."""
    return {name: value for name, value in asdict(token).items() if name != "digest"}


def _list(options: Namespace) -> int:
    tokens = readTokens(options.masterdir)
    if options.json:
        print(json.dumps([_kept(each) for each in tokens], indent=2))
        return DONE
    clocks = Clocks.here()
    rows = [
        (
            each.name,
            each.user,
            ", ".join(each.may),
            clocks.moment(each.made),
            ("expired " if each.isOver(clocks.now) else "") + (clocks.moment(each.expires) or "never"),
        )
        for each in tokens
    ]
    print(table(("TOKEN", "USER", "MAY", "MADE", "EXPIRES"), rows))
    return DONE


def _revoke(options: Namespace) -> int:
    names = frozenset(options.names)

    def change(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
        known = [each.name for each in tokens]
        for name in sorted(names.difference(known)):
            raise UsageError(f"there is no token {name}{suggestion(name, known)}")
        return tuple(each for each in tokens if each.name not in names)

    changeTokens(options.masterdir, change)
    if options.json:
        print(json.dumps({"revoked": sorted(names)}))
        return DONE
    for name in sorted(names):
        print(f"{name} is revoked")
    return DONE
