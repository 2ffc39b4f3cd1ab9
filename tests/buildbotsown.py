"""Buildbot's own tests of its workers, with ours in place of its own; they have to be as green as with the stock classes.

    BUILDBOT_CHECKOUT=~/buildbot python -m twisted.trial tests.buildbotsown

They are in Buildbot's repository only, in a version of their own for each: the checkout has to be of the version that is
installed. Not a part of `make test`. PRESENCE_STOCK=1 runs them with the stock classes, to compare.
"""

import os
import unittest
from importlib import import_module
from pathlib import Path

import buildbot.test
import buildbot.worker
from twisted.trial.runner import TestLoader

import tests.master.fakemaster  # noqa: F401 (it ignores the warnings that come from outside)
from presence.master.buildslave import BuildSlave, PresenceMixin

CHECKOUT = os.environ.get("BUILDBOT_CHECKOUT")

MODULES = ("buildbot.test.unit.worker.test_base", "buildbot.test.integration.worker.test_workerside")


def replaced(module):
    """The tests of `module`, in which every worker is one of ours."""
    # the base classes that it makes its own of, and the one that it uses as it is
    for name in ("ConcreteWorker", "ConcreteLatentWorker"):
        theirs = getattr(module, name, None)
        if theirs is not None:
            setattr(module, name, type(name, (PresenceMixin, theirs), {}))
    return module


def testSuite():
    """What trial runs."""
    if CHECKOUT is None:
        return unittest.TestSuite()
    # the wheel has left them out
    for package in ("", ".unit", ".integration"):
        there = Path(CHECKOUT, "master", "buildbot", "test", *filter(None, package.split(".")))
        import_module(f"buildbot.test{package}").__path__.append(str(there))
    stock = bool(os.environ.get("PRESENCE_STOCK"))
    if not stock:
        buildbot.worker.Worker = BuildSlave
    modules = [import_module(name) for name in MODULES]
    loader = TestLoader()
    return unittest.TestSuite(loader.loadModule(each if stock else replaced(each)) for each in modules)
