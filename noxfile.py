"""The matrix: every supported Buildbot, with every Python that this machine has.

    nox                                          # the smoke suite in each row
    nox -s 'smoke-3.13(buildbot="4.2.1")'        # one row
    BUILDBOT_CHECKOUT=~/buildbot nox -k head     # beside a checkout of Buildbot's repository
    nox -s conformance                           # Buildbot's own tests of its workers, with BuildSlave in their place
    nox -s units                                 # the unit tests in each row, instead
    nox -s sdist                                 # what is published passes its own tests

Rows of a Python that is missing are skipped.
"""

import os
from pathlib import Path

import nox

PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]

#: The oldest (that of Debian stable), the newest, and the head of the repository where there is a checkout.
BUILDBOTS = ["4.2.1", "4.3.0"]
CHECKOUT = os.environ.get("BUILDBOT_CHECKOUT")

#: The oldest of Buildbot's workers that the owner's side runs beside.
OLDEST_WORKER = "3.11.9"

nox.options.sessions = ["smoke"]
nox.options.error_on_missing_interpreters = False
nox.options.default_venv_backend = "venv"

rows = nox.parametrize("buildbot", [*BUILDBOTS, *(["head"] if CHECKOUT else [])])


def install(session, buildbot):
    """Install this tree, beside that Buildbot."""
    if buildbot == "head":
        session.install("-e", ".[test]")
        # its UI is built with npm; that of the last release serves as well here, for what is not about Bootstrap
        session.install("--no-deps", f"{CHECKOUT}/master", f"{CHECKOUT}/worker")
        # (what the workers of August 2026 import, and those of the last release do not)
        session.install("importlib_metadata")
    else:
        session.install("-e", ".[test]", f"buildbot[bundle]=={buildbot}", f"buildbot-worker=={buildbot}")


def trial(session, *names, **keywords):
    """Run tests, or those that were asked for after `--`."""
    session.run("python", "-m", "twisted.trial", "--rterrors", *(session.posargs or names), **keywords)


@nox.session(python=PYTHONS)
@rows
def smoke(session, buildbot):
    """Break, hold, drain, an owner's away, the page and a reconfig, with real processes over both wires."""
    install(session, buildbot)
    trial(session, "tests.versions.test_smoke")


@nox.session(python=PYTHONS)
@rows
def units(session, buildbot):
    """All tests on a fake clock."""
    install(session, buildbot)
    trial(session, "tests.master", "tests.worker", "tests.wire", "tests.commands")


@nox.session(python="3.11")
def oldworker(session):
    """The owner's side beside the oldest of Buildbot's workers."""
    session.install(
        "-e", ".[worker,sensors,calendar]", f"buildbot-worker=={OLDEST_WORKER}", "hypothesis", "psutil"
    )
    trial(session, "tests.worker", "tests.wire")


@nox.session(python="3.11")
def conformance(session):
    """Buildbot's own tests of its workers (in a checkout of v4.3.0), with BuildSlave in place of Worker."""
    if CHECKOUT is None:
        session.skip("BUILDBOT_CHECKOUT names no checkout of Buildbot")
    install(session, "4.3.0")
    session.install("parameterized")
    trial(session, "tests.buildbotsown", env={"BUILDBOT_CHECKOUT": CHECKOUT})


@nox.session(python="3.11")
def sdist(session):
    """The source distribution is built, unpacked, and passes its own tests."""
    session.install("build")
    directory = Path(session.create_tmp())
    session.run("python", "-m", "build", "--outdir", str(directory), ".")
    (archive,) = directory.glob("*.tar.gz")
    session.chdir(directory)
    session.run("tar", "xzf", archive.name, external=True)
    session.chdir(archive.name.removesuffix(".tar.gz"))
    session.install(".[test]")
    trial(session, "tests.breaks", "tests.calendar", "tests.model", "tests.master.test_buildslave")
