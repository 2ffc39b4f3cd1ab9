"""Adding resources to Buildbot's Data API while the master runs."""

from __future__ import annotations

import inspect
from typing import Any

from buildbot.data.base import ResourceType

from presence.master.api.answertexts import AnswerTexts
from presence.master.compat import adaptPatterns, healAnswers, healPatterns

# There is one place in a process in which Buildbot writes answers.
_TEXTS = AnswerTexts()


def registerResources(master: Any, namespace: Any) -> dict[str, Any]:
    """Make the resource types in `namespace` part of the Data API of `master`: `{name: resource type}`.

    `namespace` is a module, or any object, with no other subclasses of Buildbot's `ResourceType` among its
    attributes than those to add, and their `pathPatterns` are lists. Adding them again does nothing.
    """
    classes: list[Any] = [
        each for each in vars(namespace).values() if inspect.isclass(each) and issubclass(each, ResourceType)
    ]
    if any(master.data.getResourceType(each.name) is None for each in classes):
        adaptPatterns(classes)
        healAnswers(_TEXTS.of)
        # There is no public way: Buildbot scans its own modules before it reads master.cfg.
        master.data._scanModule(namespace)
        master.data.allEndpoints.cache_clear()
        healPatterns(master.data.matcher)
    return {str(each.name): master.data.getResourceType(each.name) for each in classes}


def heal(master: Any) -> None:
    """Let the Data API of `master`, and the answers of Buildbot's REST API, be as they are where resources of ours are."""
    healAnswers(_TEXTS.of)
    healPatterns(master.data.matcher)
