"""The public configurations of real farms, with presence and without: `python -m benchmarks.publicfarms DIRECTORY`.

In DIRECTORY are checkouts of their repositories, each named OWNER+NAME; none of them is part of this one. Each master.cfg is
loaded and a master is started with it: its workers, builders, schedulers, authentication and rules, the web server on a free
port of the loopback interface, a database in memory. What would speak to others (change sources, reporters, hooks) is left out,
missing secrets are made up, and missing libraries are replaced by what answers to everything. With presence a last line is
added, `presence.enable(c)`. Each run is a process of its own, by turns without and with it.

What they import should be installed (`pip install docker evalidate buildbot-prometheus`); CPython's wants Python 3.12. Not among them:
those of Julia and MariaDB, which are for an older Buildbot (stock 4.3.0 refuses them, too: `startDescription`, `mtrlogobserver`);
nextGIS's, which asks libvirt while it is loaded; OpenVPN's, whose sample settings lack what its master.cfg reads; and OpenWrt's
phase 2, which reads a source tree.
"""

import argparse
import contextlib
import json
import os
import re
import signal
import statistics
import subprocess
import sys
from pathlib import Path

_DOLPHINS = ["altair-fifoci", "altair-flatpak", "android", "deneb-flatpak", "osx-m1"]

#: {farm: (repository, master.cfg there, files that are made up, environment that is made up)}
FARMS = {
    "LLVM": (
        "llvm+llvm-zorg",
        "buildbot/osuosl/master/master.cfg",
        {
            "config/local.cfg": "[GitHub Auth]\nclientId = x\nclientSecret = x\n"
            "[Mail Notifier]\nsmtp_user = x\nsmtp_password = x\n"
        },
        {"BUILDBOT_TEST": "1"},
    ),
    "metabbot": ("buildbot+metabbotcfg", "master.cfg", {}, {}),
    "OpenWrt, phase 1": ("openwrt+buildbot", "phase1/master.cfg", {}, {}),
    "CPython": ("python+buildmaster-config", "master/master.cfg", {}, {}),
    "Dolphin": (
        "dolphin-emu+sadm",
        "roles/buildbot/etc/master.cfg",
        {
            "passwords.json": json.dumps(
                dict.fromkeys([*_DOLPHINS, "debian", "freebsd", "steamrt", "ubuntu-lts", "windows"], "x")
            )
        },
        {"WORKERS_PASSWORDS_PATH": "passwords.json", "HTTP_PORT": "8010"},
    ),
    "ScummVM": ("scummvm+dockerized-bb", "buildbot-config/master.cfg", {}, {}),
    "ReactOS": ("reactos+buildbot_config", "master/master.cfg", {}, {}),
}


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.publicfarms", description=__doc__)
    parser.add_argument("directory", type=Path, metavar="DIRECTORY")
    parser.add_argument("--runs", type=int, default=3, help="how often each is started, in each way")
    parser.add_argument("--only", metavar="FARM", help="those with this in their name")
    parser.add_argument(
        "--count", action="store_true", help="the instructions, too, with valgrind; takes long"
    )
    options = parser.parse_args()
    print(
        f"{'farm':<26} workers builders  {'MB':<21}  {'CPU s, the least':<20}  {'median':<20}  from its master.cfg on"
    )
    for farm, (repository, config, _, _) in FARMS.items():
        path = options.directory / repository / config
        if options.only and options.only.lower() not in farm.lower():
            continue
        if not path.exists():
            print(f"{farm:<26} not there")
            continue
        found = {"": [], "presence": []}
        for _ in range(options.runs):
            for way, runs in found.items():
                runs.append(run(farm, path, way))
        print(line(farm, *found.values()), flush=True)
        if options.count:
            stock, ours = (count(farm, path, way) for way in found)
            print(f"{'':<26} instructions {stock:,} → {ours:,} {100 * (ours / stock - 1):+.1f} %", flush=True)
    return 0


def _child(farm, path, way):
    return [sys.executable, "-m", "benchmarks.farmchild", farm, str(path), way]


def run(farm, path, way):
    """One start in a process of its own: what `child` prints."""
    done = subprocess.run(_child(farm, path, way), capture_output=True, text=True, timeout=300, check=False)
    last = done.stdout.strip().rpartition("\n")[2]
    try:
        return json.loads(last)
    except ValueError:
        return {"error": (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]}


def count(farm, path, way):
    """How many instructions the process takes until the master has started, which does not depend on what else the machine does."""
    valgrind = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    child = subprocess.Popen(
        [*valgrind, *_child(farm, path, way), "start"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        start_new_session=True,
    )
    said, told = child.communicate()
    # (it ends without a stop: what it has started, as metabbot's `kubectl proxy`, would have its port when the next one starts)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGTERM)
    if '{"error"' in said:
        raise SystemExit(f"{farm} does not start{way and ' with presence'}: {said.strip()[-300:]}")
    return int(re.search(r"I +refs: +([0-9,]+)", told)[1].replace(",", ""))


def line(farm, stock, ours):
    for way, runs in (("", stock), (" with presence", ours)):
        for each in runs:
            if "error" in each:
                return f"{farm:<26} does not start{way}: {' | '.join(each['error'])[-300:]}"

    def both(what, middle, form):
        one, other = (middle(each[what] for each in runs) for runs in (stock, ours))
        return one, other, f"{one:{form}} → {other:{form}}"

    first = ours[0]
    before, after, memory = both("memory", statistics.median, ".1f")
    times = []
    for what, middle in (("whole", min), ("whole", statistics.median), ("cpu", min)):
        one, other, text = both(what, middle, ".3f")
        times.append(f"{text} {100 * (other / one - 1):+5.1f} %")
    return (
        f"{farm:<26} {first['workers']:>7} {first['builders']:>8}  {memory} {after - before:+.1f}  {'  '.join(times)}"
        f"{'  (stubs: ' + ', '.join(first['stubs']) + ')' if first['stubs'] else ''}"
    )


if __name__ == "__main__":
    sys.exit(main())
