"""A look at the whole of a configuration, when Buildbot has read all of it: what a service cannot see while `master.cfg` runs."""

from __future__ import annotations

from typing import Any

from buildbot.config.master import MasterConfig


def followWholeConfigs() -> None:
    """From now on Buildbot's last check of a configuration asks its services, too: those that have `checkWhole(config)`, and of reporters
    the generators that have `checkReporter(reporter)`. What is wrong they say with `config.error`, as they do while `master.cfg` runs; so `buildbot checkconfig` and a reconfig tell it.

    On the class, for a configuration is an object of its own each time. To say it again does nothing.
    """
    check = MasterConfig.check_machines
    if hasattr(check, "ofPresence"):
        return

    def check_machines(config: Any) -> None:
        check(config)
        services = config.services
        # (a list before Buildbot has made a dictionary of it)
        for each in tuple(services.values() if isinstance(services, dict) else services):
            if hasattr(each, "checkWhole"):
                each.checkWhole(config)
            for generator in getattr(each, "_config_kwargs", {}).get("generators") or ():
                if hasattr(generator, "checkReporter"):
                    generator.checkReporter(each)

    check_machines.ofPresence = True  # type: ignore[attr-defined]
    MasterConfig.check_machines = check_machines
