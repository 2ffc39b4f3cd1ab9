"""Why an order is not followed.

What reads orders is not in memory where nobody gives any.
"""

from __future__ import annotations


class OrderRefused(ValueError):  # noqa: N818 (it is an answer to a request)
    """What is stored does not allow the order: nothing has changed. The message says why, and what would be right."""


class CannotFollow(OrderRefused):
    """A worker cannot do what is ordered, by how it is declared where it is connected."""


class UnknownAction(ValueError):  # noqa: N818 (it is a mistake in a request)
    """There is no such action. The message lists those that there are."""
