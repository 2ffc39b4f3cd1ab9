"""Laws that are tested for each of many values, each in a test of its own, which can be run by its name."""

import os

from tests.searches import THOROUGH


def each(values, law, *, method="check", name="test_{}"):
    """Give a test class a test for each of `values`: `method` called with it. `law` says, with `{}` for it, what is shown."""

    def decorate(case):
        for value in values:
            setattr(case, name.format(value), _testOf(method, value, name.format(value), law.format(value)))
        return case

    return decorate


def seeds(variable, default, law, *, search):
    """The same for so many seeds every day, and for `search` of them in a search, from 1 on, with `simulate`. The
    environment's `variable` says another number.
    """
    count = int(os.environ.get(variable, search if THOROUGH else default))
    return each(range(1, count + 1), law, method="simulate", name="test_seed{}")


def _testOf(method, value, name, law):
    def test(self):
        getattr(self, method)(value)

    test.__name__, test.__doc__ = name, law
    return test
