import copy
import json

from twisted.trial.unittest import SynchronousTestCase

from presence.master.api.answertexts import AnswerTexts


class Encoder(json.JSONEncoder):
    """As Buildbot makes it for an answer; it counts the entities that it is asked for."""

    def __init__(self, *, readable=False):
        super().__init__(sort_keys=True)
        self.encoded = 0
        if readable:
            self.indent = 2
        else:
            self.item_separator, self.key_separator = ",", ":"

    def encode(self, o):
        self.encoded += isinstance(o, dict) and "name" in o
        return super().encode(o)


def answer(entities, plural="presences"):
    return {plural: entities, "meta": {"total": len(entities)}}


class AnswerTextsTests(SynchronousTestCase):
    """The text of an answer is that of its encoder, and of an entity that has not changed it is not made again."""

    def setUp(self):
        self.texts = AnswerTexts()

    def test_same(self):
        """Whatever was asked before, the text is the encoder's own, compact and indented."""
        odd = [
            {"name": "é\n", "holds": [], "drain": None},
            {"name": "b", "holds": [{"since": 0.1, "by": "\\n, [", "x": {}}]},
            {"holds": "no name"},
            {"holds": "nor this one"},
        ]
        for readable in (False, True):
            for plural in ("presences", "builderpresences", "workers"):
                for entities in (odd, [], odd[1:], odd[::-1]):
                    self.assertEqual(
                        self.texts.of(Encoder(readable=readable), answer(entities, plural)),
                        Encoder(readable=readable).encode(answer(entities, plural)),
                    )

    def test_onceEach(self):
        """Only what has changed, or is new, is encoded, in each of the two forms."""
        before = [{"name": f"w{number}", "holds": [{"since": 1.0}]} for number in range(10)]
        now = [{"name": "new", "holds": []}, *copy.deepcopy(before)]
        now[4]["holds"][0]["since"] = 2.0
        for readable in (False, True):
            for entities, encoded in ((before, 10), (copy.deepcopy(before), 0), (now, 2), (now[3:], 0)):
                encoder = Encoder(readable=readable)
                text = self.texts.of(encoder, answer(entities))
                self.assertEqual(encoder.encoded, encoded)
                self.assertEqual(json.loads(text), answer(entities))

    def test_eachCollection(self):
        """A builder that is called as a worker is not taken for it."""
        entities = [{"name": "mac"}]
        self.texts.of(Encoder(), answer(entities))
        self.assertEqual(
            json.loads(self.texts.of(Encoder(), answer(entities, "builderpresences"))),
            answer(entities, "builderpresences"),
        )

    def test_gone(self):
        """Of whom the last answer says nothing, nothing is kept."""
        self.texts.of(Encoder(), answer([{"name": f"w{number}"} for number in range(10)]))
        self.texts.of(Encoder(), answer([{"name": "w0"}]))
        self.assertEqual([len(known) for known in self.texts._known.values()], [1])
