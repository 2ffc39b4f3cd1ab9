"""One start of a public farm's master in this process: see `benchmarks.publicfarms`."""

import builtins
import configparser
import contextlib
import gc
import importlib.abc
import importlib.machinery
import io
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

from benchmarks.publicfarms import FARMS

# What is asked for and not there: a number, a word and JSON in one.
MADE_UP = "1"


class Stub(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Libraries that are missing, and modules with secrets: whatever is asked of them, they have it."""

    def __init__(self):
        self.made = set()

    def find_spec(self, name, path, target=None):
        """Every module that nobody else has."""
        del path, target
        if name.partition(".")[0] in sys.stdlib_module_names or name.partition(".")[0] in {
            "buildbot",
            "twisted",
            "presence",
        }:
            return None
        if _asks_a_library():
            # it can do without
            return None
        self.made.add(name.partition(".")[0])
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        """An ordinary one."""
        del spec

    def exec_module(self, module):
        """Let it have everything."""
        module.__path__ = []
        module.__getattr__ = lambda name: (
            mock.MagicMock(name=name) if not name.startswith("__") else _missing(name)
        )
        module.__all__ = []


def _asks_a_library():
    """Whether an installed library wants to import something, and not the configuration."""
    frame = sys._getframe(2)
    while frame is not None and "importlib" in frame.f_code.co_filename:
        frame = frame.f_back
    return frame is not None and f"{os.sep}lib{os.sep}python" in frame.f_code.co_filename


def _missing(name):
    raise AttributeError(name)


class Environment(dict):
    """The environment, in which everything is set."""

    def __missing__(self, name):
        if name.startswith(("PYTHON", "TWISTED", "LC_", "LANG", "SSL_", "HTTP")) or name in {"COLUMNS", "TZ"}:
            raise KeyError(name)
        return MADE_UP


_GET = configparser.RawConfigParser.get


def _setting(self, section, option, **keywords):
    """In a file of settings everything is set."""
    try:
        return _GET(self, section, option, **keywords)
    except configparser.Error:
        found = keywords.get("fallback", MADE_UP)
        return MADE_UP if found is configparser._UNSET else found


def _examples(path):
    """Take the examples that the repository has of what it does not have."""
    for directory in {path.parent, path.parent.parent}:
        for each in directory.iterdir():
            found = re.fullmatch(r"(.+?)[.-](example|sample)", each.name)
            if found and not (directory / found[1]).exists():
                shutil.copyfile(each, directory / found[1])


def load(farm, path, way):
    """The `BuildmasterConfig` of the farm."""
    _, _, files, environment = FARMS[farm]
    os.environ.update(environment)
    os.chdir(path.parent)
    _examples(path)
    for name, content in files.items():
        (path.parent / name).write_text(content)
    sys.path.insert(0, str(path.parent))
    if farm == "metabbot":
        # it is a package of that name
        package = Path(tempfile.mkdtemp(prefix="presence-publicfarm-"))
        (package / "metabbotcfg").symlink_to(path.parent)
        sys.path.insert(0, str(package))
    stub = Stub()
    sys.meta_path.append(stub)
    opened = builtins.open

    def open_(file, mode="r", *args, **keywords):
        try:
            return opened(file, mode, *args, **keywords)
        except FileNotFoundError:
            if "w" in mode or str(file).startswith("/proc"):
                raise
            content = "" if str(file).endswith((".ini", ".cfg")) else "{}"
            return io.BytesIO(content.encode()) if "b" in mode else io.StringIO(content)

    source = path.read_text(encoding="utf-8")
    if way:
        source += "\nimport presence\npresence.enable(BuildmasterConfig)\n"
    names = {"__file__": str(path), "basedir": str(path.parent), "__name__": "master_cfg"}
    with contextlib.suppress(ImportError):
        # (no Docker engine is asked anything)
        import docker  # noqa: PLC0415

        docker.APIClient = mock.MagicMock(name="APIClient")
    with (
        mock.patch.object(builtins, "open", open_),
        mock.patch.object(os, "environ", Environment(os.environ)),
        mock.patch.object(configparser.RawConfigParser, "get", _setting if farm == "ReactOS" else _GET),
        mock.patch.object(subprocess, "Popen", Nothing),
        mock.patch("urllib.request.urlopen", return_value=io.BytesIO(b"{}")),
        mock.patch.object(subprocess, "check_output", _nothing),
    ):
        exec(compile(source, str(path), "exec"), names)
    return names["BuildmasterConfig"], sorted(stub.made)


def _nothing(*_, **__):
    return ""


class Nothing:
    """A program that says nothing."""

    def __init__(self, *_, **__):
        self.stdout, self.stderr, self.returncode, self.pid = io.BytesIO(b""), io.BytesIO(b""), 0, 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def communicate(self, *_, **__):
        """What it has printed."""
        return b"", b""

    def wait(self, *_, **__):
        """Its exit status."""
        return 0

    def readline(self):
        """A line of it."""
        return b""


def quiet(c):
    """Leave out whatever speaks to others."""
    www = c.get("www") or {}
    for name in ("change_hook_dialects", "change_hook_auth", "ui_default_config"):
        www.pop(name, None)
    www["port"] = "tcp:0:interface=127.0.0.1"
    ours = {"presence": {}} if "presence" in www.get("plugins", {}) else {}
    www["plugins"] = ours
    c.update(
        change_source=[],
        services=[each for each in c.get("services", ()) if type(each).__name__ == "PresenceService"],
        secretsProviders=[],
        configurators=[],
        www=www,
        protocols={"pb": {"port": "tcp:0:interface=127.0.0.1"}},
        mq={"type": "simple"},
        buildbotNetUsageData=None,
        manhole=None,
    )
    for name in ("db", "db_url", "ignoreOfflineWorkersTimeout", "status", "metrics"):
        c.pop(name, None)
    c["db_url"] = "sqlite://"
    return c


def main(farm, path, way, only_start=""):
    from buildbot.config.master import MasterConfig  # noqa: PLC0415
    from buildbot.master import BuildMaster  # noqa: PLC0415
    from twisted.internet import reactor  # noqa: PLC0415
    from twisted.internet.defer import inlineCallbacks  # noqa: PLC0415

    begun = time.process_time()
    c, stubs = load(farm, Path(path), way)
    configured = MasterConfig.loadFromDict(quiet(c), path)
    basedir = tempfile.mkdtemp(prefix="presence-publicfarm-")
    Path(basedir, "buildbot.tac").touch()

    class Loader:
        def loadConfig(self):
            return configured

    result = {}

    @inlineCallbacks
    def run():
        try:
            master = BuildMaster(basedir, umask=0o077, reactor=reactor, config_loader=Loader())
            yield master.startService()
            assert master.running, "the master has not started"
            # (a restart is the whole of it: Python, Buildbot's modules, the configuration, the start)
            result["whole"] = time.process_time()
            result["cpu"] = result["whole"] - begun
            if only_start:
                # (whoever counts instructions counts up to here)
                os._exit(0)
            gc.collect()
            result["memory"] = resident()
            result.update(workers=len(c["workers"]), builders=len(c["builders"]), stubs=stubs)
            if way:
                from presence.master.roster import Roster  # noqa: PLC0415

                assert len(master.namedServices[Roster.getName()].workers) == len(c["workers"])
            yield master.stopService()
        except Exception as problem:  # noqa: BLE001 (it is told)
            result["error"] = [repr(problem)]
        with contextlib.suppress(Exception):
            reactor.stop()

    reactor.callWhenRunning(run)
    reactor.run()
    print(json.dumps(result))


def resident():
    """The memory of this process, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


if __name__ == "__main__":
    main(*sys.argv[1:5])
