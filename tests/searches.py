"""How far the property tests search.

Every day they look at a few cases, so that the tests of the model take about a second. With PRESENCE_THOROUGH=1 in the
environment (`make search`) they look at many times as many. Both are always the same ones: a change is not refused for
what it has not done. With PRESENCE_THOROUGH=random (`make search RANDOMLY=1`) they look at other ones each time.
"""

import os

from hypothesis import HealthCheck, settings

THOROUGH = os.environ.get("PRESENCE_THOROUGH", "")


def examples(number, search=None):
    """Hypothesis settings for so many cases every day, and for `search` (25 times as many) in a search."""
    return settings(
        max_examples=search or 25 * number if THOROUGH else number,
        deadline=None,
        derandomize=THOROUGH != "random",
        # trial shows an error, and not what is in a group of several
        report_multiple_bugs=False,
        database=None,
        # how long they take is a matter of the machine, and of who else works on it
        suppress_health_check=[HealthCheck.too_slow],
    )
