"""The JSON of long answers, made entity by entity: that of an entity which has not changed is not made again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from json import JSONEncoder

# The collections that are worth it: pages and scripts ask for all of their entities, of which few have changed.
_KEPT = ("presences", "builderpresences")

# Where the entities come in; such a text is nowhere else.
_PLACE = "\0entities"


class AnswerTexts:
    """Makes the text of an answer: what its encoder makes of it, to the last byte.

    It keeps the entities of the last answer with the text of each: whoever has made an answer does not change it any more.
    (1 and 1.0 are the same here, as they are for whoever reads JSON.)
    """

    def __init__(self) -> None:
        # by collection and indentation: by name, an entity and its text
        self._known: dict[tuple[str, Any], dict[Any, tuple[Any, str]]] = {}

    def of(self, encoder: JSONEncoder, answer: Mapping[str, Any]) -> str:
        """The JSON of `answer`, which is of the entities of one collection, and something about them. Any thread may ask."""
        plural = next((each for each in _KEPT if answer.get(each)), None)
        if plural is None:
            return encoder.encode(answer)
        before, known, texts = self._known.get((plural, encoder.indent), {}), {}, []
        # (within a text there is no end of a line: those are said otherwise)
        margin = "\n" + 2 * int(encoder.indent) * " " if encoder.indent else ""
        for entity in answer[plural]:
            name = entity.get("name")
            kept = before.get(name)
            if kept is None or kept[0] != entity:
                kept = entity, encoder.encode(entity).replace("\n", margin)
            known[name] = kept
            texts.append(kept[1])
        self._known[plural, encoder.indent] = known
        frame = encoder.encode({**answer, plural: [_PLACE]})
        return frame.replace(encoder.encode(_PLACE), (encoder.item_separator + margin).join(texts))
