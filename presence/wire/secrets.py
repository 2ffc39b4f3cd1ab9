"""Secrets that stand for somebody in `Authorization: Bearer`: what they look like, and what is kept of them.

They are random, 256 bits: nobody guesses one, and one round of SHA-256 keeps it as safe as many.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

#: How the secret of a token begins, and that of the operator; nothing else that others send as a bearer does.
TOKEN = "presence-token-"  # noqa: S105 (the prefix, not a secret)
OPERATOR = "presence-operator-"

#: Longer than any secret, in characters.
LONGEST = 100


def newSecret(prefix: str) -> str:
    """A new secret, which begins with `prefix`."""
    return prefix + secrets.token_urlsafe(32)


def digestOf(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def isSame(digest: str, other: str) -> bool:
    """Whether two digests are the same, in a time that tells nobody how much of them is."""
    return hmac.compare_digest(digest.encode(), other.encode())


def bearer(header: bytes | None) -> str | None:
    """The secret in a header ``Authorization``, if it is one of ours, whether or not anybody knows it.

    Of one that is too long the beginning: it is nobody's.
    """
    scheme, _, value = (header or b"").strip().partition(b" ")
    given = value.strip()
    if scheme.lower() != b"bearer" or not given.startswith((TOKEN.encode(), OPERATOR.encode())):
        return None
    return given[: LONGEST + 1].decode("ascii", "replace")
