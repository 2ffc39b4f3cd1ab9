"""The file in a master's directory by which whoever can read it may order as the operator: a secret, new with every start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from presence import files
from presence.wire.secrets import LONGEST, OPERATOR

if TYPE_CHECKING:
    from pathlib import Path

#: The name of the file.
FILENAME = "presence-operator.token"


def readOperator(masterdir: Path) -> str | None:
    """The secret, or None: without a file, where this account may not read it, and for what is not a secret of ours."""
    try:
        text = files.read(masterdir / FILENAME, LONGEST + 1).decode("ascii").strip()
    except (OSError, ValueError):
        return None
    return text if text.startswith(OPERATOR) and len(text) <= LONGEST else None
