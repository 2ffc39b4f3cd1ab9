"""The public configurations of real farms, with presence and without: `python -m benchmarks.publicfarms DIRECTORY`.

In DIRECTORY are checkouts of their repositories, each named OWNER+NAME; none of them is part of this one. Each master.cfg is
loaded and a master is started with it: its workers, builders, schedulers, authentication and rules, the web server on a free
port of the loopback interface, a database in memory. What would speak to others (change sources, reporters, hooks) is left out,
missing secrets are made up, and missing libraries are replaced by what answers to everything. With presence a last line is
added, `presence.enable(c)`. Each run is a process of its own, by turns without and with it.

Those of CPython, Dolphin, Julia, MariaDB, nextGIS, OpenVPN, OpenWrt's phase 2 and ScummVM are not among them: while they are loaded they
ask the network, a Docker engine, a source tree, or secrets of a certain shape.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

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
    "ReactOS": ("reactos+buildbot_config", "master/master.cfg", {}, {}),
}


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.publicfarms", description=__doc__)
    parser.add_argument("directory", type=Path, metavar="DIRECTORY")
    parser.add_argument("--runs", type=int, default=3, help="how often each is started, in each way")
    parser.add_argument("--only", metavar="FARM", help="those with this in their name")
    options = parser.parse_args()
    print(f"{'farm':<36} workers builders  CPU s        +CPU  +MB")
    for farm, (repository, config, _, _) in FARMS.items():
        path = options.directory / repository / config
        if options.only and options.only.lower() not in farm.lower():
            continue
        if not path.exists():
            print(f"{farm:<36} not there")
            continue
        found = {"": [], "presence": []}
        for _ in range(options.runs):
            for way, runs in found.items():
                runs.append(run(farm, path, way))
        print(line(farm, *found.values()), flush=True)
    return 0


def run(farm, path, way):
    """One start in a process of its own: what `child` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.farmchild", farm, str(path), way],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    last = done.stdout.strip().rpartition("\n")[2]
    try:
        return json.loads(last)
    except ValueError:
        return {"error": (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]}


def line(farm, stock, ours):
    for way, runs in (("", stock), (" with presence", ours)):
        for each in runs:
            if "error" in each:
                return f"{farm:<36} does not start{way}: {' | '.join(each['error'])[-300:]}"
    cpu = [statistics.median(each["cpu"] for each in runs) for runs in (stock, ours)]
    memory = [statistics.median(each["memory"] for each in runs) for runs in (stock, ours)]
    first = ours[0]
    return (
        f"{farm:<36} {first['workers']:>7} {first['builders']:>8}  {cpu[0]:.2f} → {cpu[1]:.2f}"
        f"  {100 * (cpu[1] / cpu[0] - 1):+5.1f} %  {memory[1] - memory[0]:+.1f}"
        f"{'  (stubs: ' + ', '.join(first['stubs']) + ')' if first['stubs'] else ''}"
    )


if __name__ == "__main__":
    sys.exit(main())
