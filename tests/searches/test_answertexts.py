"""The JSON of long answers, made entity by entity, beside that of the encoder itself."""

import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from presence.master.api.answertexts import AnswerTexts
from tests.searches.cases import examples

# (no two of these are equal and written otherwise)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(min_value=2) | st.floats(0.25, 0.75) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ENTITIES = st.lists(
    st.fixed_dictionaries({"name": st.text()}, optional={"holds": VALUES, "z": VALUES}), max_size=4
)


def encoder(*, readable):
    made = json.JSONEncoder(sort_keys=True)
    if readable:
        made.indent = 2
    else:
        made.item_separator, made.key_separator = ",", ":"
    return made


class AnswerTextsTests(SynchronousTestCase):
    @examples(50)
    @given(
        answers=st.lists(ENTITIES, min_size=1, max_size=3),
        plural=st.sampled_from(["presences", "builderpresences", "workers"]),
        readable=st.booleans(),
    )
    def test_same(self, answers, plural, readable):
        """Whatever was asked before, the text is the encoder's own, compact and indented."""
        texts = AnswerTexts()
        for entities in answers:
            answer = {plural: entities, "meta": {"total": len(entities)}}
            self.assertEqual(
                texts.of(encoder(readable=readable), answer), encoder(readable=readable).encode(answer)
            )
