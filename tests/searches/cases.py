"""How many cases a search looks at, and of which texts."""

import unicodedata
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

from tests.searches import THOROUGH

# What is kept from one run to the next, such as the tables of Unicode, is there for all processes of a run.
set_hypothesis_home_dir(Path(__file__).parents[2] / ".hypothesis")

#: Characters that have been trouble to somebody: quotes, controls, ends of lines, what is seen as nothing, or is no character.
TROUBLE = "aZ7 _-.:;,/\\'\"<>&%{}\0\t\n\r\x1b\x7f\x85\xa0\xdf\xe9\u0130\u0301\u200b\u2028\u202e\ufeff\ud800\udc80\U0001f600"


def texts(exclude=(), **limits):
    """Texts without characters of the categories `exclude`: of `TROUBLE` every day, and of all there are in a search."""
    if THOROUGH:
        return st.text(st.characters(exclude_categories=exclude), **limits)
    return st.text(
        st.sampled_from([each for each in TROUBLE if unicodedata.category(each) not in exclude]), **limits
    )


def leaves(number):
    """How many leaves a recursive strategy has: so many every day, and a hundred in a search."""
    return 100 if THOROUGH else number


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


#: What JSON can say.
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(), inner, max_size=3),
    max_leaves=5,
)
