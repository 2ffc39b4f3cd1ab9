"""Laws that are tested for each of many values, each in a test of its own, which can be run by its name."""

import os


def each(values, law, *, method="check", name="test_{}"):
    """Give a test class a test for each of `values`: `method` called with it. `law` says, with `{}` for it, what is shown."""

    def decorate(case):
        for value in values:
            setattr(case, name.format(value), _testOf(method, value, name.format(value), law.format(value)))
        return case

    return decorate


def seeds(variable, default, law):
    """The same for the seeds from 1 on, with `simulate`. The environment's `variable` says how many there are."""
    count = int(os.environ.get(variable, default))
    return each(range(1, count + 1), law, method="simulate", name="test_seed{}")


def _testOf(method, value, name, law):
    def test(self):
        getattr(self, method)(value)

    test.__name__, test.__doc__ = name, law
    return test
