"""The recipe in docs/masters.rst, which all tests here are made by: what is on that page works."""

import re
from pathlib import Path
from textwrap import dedent

PAGE = Path(__file__).parents[2] / "docs/masters.rst"


def block(language, about):
    """The one code block of the page in this language that has `about` in it."""
    blocks = re.findall(
        rf"^\.\. code-block:: {language}\n(?:    :.*\n)*\n((?:    .*\n|\n)+)", PAGE.read_text(), re.MULTILINE
    )
    (found,) = (each for each in blocks if about in each)
    return dedent(found)


def everyMaster(database, router):
    """What is in the master.cfg of each master."""
    lines = block("python", "multiMaster")
    lines = lines.replace("postgresql+psycopg2://buildbot:SECRET@db.example.org/buildbot", database)
    return lines.replace("ws://router.example.org:8080/ws", router)


def userInterface():
    """What is besides in that of the one that only serves the UI."""
    return block("python", "PresenceService()")
