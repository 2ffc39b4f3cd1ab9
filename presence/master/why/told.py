"""What is known of workers that are connected to other masters of the farm: what these have told, and which builds run there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks

from presence.master.builds.estimates import estimates
from presence.master.builds.everywhere import buildsEverywhere
from presence.master.why.facts import Reason, Running, WorkerFacts
from presence.model.states import Hold

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from twisted.internet.defer import Deferred

    from presence.master.farm.seen.snapshots import Snapshots


@inlineCallbacks
def factsOfFarm(
    master: Any, farm: Snapshots, names: Iterable[str]
) -> Generator[Deferred[Any], Any, dict[str, list[WorkerFacts]]]:
    """What is known of the workers of these builders that are connected to other masters, in a Deferred."""
    ids = {name: number for number, name in farm.known.builders.items()}
    told = {name: _told(farm, ids[name]) for name in names if name in ids}
    running: dict[tuple[str, str], Running] = {}
    if any(entity["busy"] for found in told.values() for entity, _ in found):
        builds = yield buildsEverywhere(master, farm.pulse.isGone)
        known = yield estimates(master, [each.id for each in builds])
        now = master.reactor.seconds()
        for each in builds:
            left = known[each.id].remaining if each.id in known else None
            ends = None if left is None else now + left
            running[each.worker, each.builder] = Running(f"{each.builder} #{each.number}", ends)
    return {
        name: [_facts(entity, refusals, running.get((entity["name"], name))) for entity, refusals in found]
        for name, found in told.items()
    }


def _told(farm: Snapshots, builderid: int) -> list[tuple[dict[str, Any], tuple[Reason, ...]]]:
    found: list[tuple[dict[str, Any], tuple[Reason, ...]]] = []
    for each in farm.known.ofBuilder(builderid):
        entity = farm.elsewhere(each.name)
        if entity is None:
            continue
        why = each.unusable.get(str(builderid)) if entity["state"] == "AVAILABLE" else None
        kind = entity["blocked"][0]["kind"] if entity["blocked"] else "partial"
        found.append((entity, () if why is None else (Reason(kind, why[0], until=why[1]),)))
    return found


def _facts(entity: dict[str, Any], refusals: tuple[Reason, ...], own: Running | None) -> WorkerFacts:
    return WorkerFacts(
        entity["name"],
        entity["workerid"],
        holds=tuple(
            Hold(each["source"], each["reason"], each["by"], each["since"], each["until"])
            for each in entity["holds"]
        ),
        drained=entity["drain"] is not None,
        backAt=entity["back_at"],
        refusals=refusals,
        own=own,
    )
