"""The files of the local page, and the few lines of HTML that are not in one, as they hold a secret."""

from __future__ import annotations

import html
from functools import cache
from pathlib import Path

from presence.words.pages import pageModules

_PAGE = Path(__file__).parent / "page"

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

#: The page itself.
INDEX = "index.html"


@cache
def _names() -> frozenset[str]:
    """The files there are; what is asked for is looked up here, and never made a path."""
    return frozenset(each.name for each in _PAGE.iterdir() if each.suffix in _TYPES and each.is_file())


def pageFile(name: str) -> tuple[str, bytes] | None:
    """The type and the content of a file of the page, or None."""
    shared = pageModules().get(name)
    if shared is not None:
        return _TYPES[".js"], shared
    if name not in _names():
        return None
    path = _PAGE / name
    return _TYPES[path.suffix], path.read_bytes()


def entered(session: str) -> bytes:
    """What is shown for a moment to a browser that was let in: the page's scripts take the session from it."""
    return _document(
        "presence",
        '<p>Welcome. <a href="/">Go on to the page</a></p>',
        f'<meta name="presence-session" content="{html.escape(session)}">'
        '<script type="module" src="/static/enter.js"></script>',
    )


def notEntered(why: str) -> bytes:
    """What is shown to a browser that was not let in."""
    return _document("presence", f'<p>{html.escape(why)}</p><p><a href="/">Back</a></p>')


def door(name: str, port: int, ticket: str) -> bytes:
    """The file with which `presence open` lets a browser in: it posts the ticket, which so is in no address."""
    return _document(
        f"presence of {name}",
        f'<form id="enter" method="post" action="http://127.0.0.1:{int(port)}/enter">'
        f'<input type="hidden" name="ticket" value="{html.escape(ticket)}">'
        f"<p>Open the page of the worker {html.escape(name)}:</p><button>Open</button></form>"
        '<script>document.getElementById("enter").submit();</script>',
        '<meta name="referrer" content="no-referrer">',
    )


def _document(title: str, body: str, head: str = "") -> bytes:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title>{head}</head>\n<body>{body}</body></html>\n"
    ).encode()
