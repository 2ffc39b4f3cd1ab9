import json

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from presence.calendar.instants import LATEST
from presence.orders.reading import UnknownAction, readOrder
from presence.orders.workers import ACTIONS, ON_DEADLINE, DrainOrder, HoldOrder, ReleaseOrder, WorkOrder
from presence.text import MAX_REASON
from tests.searches import examples, texts

NOW = 1_800_000_000.25

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(), inner, max_size=3),
    max_leaves=5,
)

#: What is good for a parameter of each kind.
GOOD = {
    "text": st.none() | texts(exclude=["Cc", "Cs", "Zl", "Zp"], max_size=MAX_REASON),
    "instant": st.none() | st.floats(NOW, LATEST, exclude_min=True) | st.integers(int(NOW) + 1, int(LATEST)),
    "choice": st.none() | st.sampled_from(ON_DEADLINE),
    "flag": st.none() | st.booleans(),
    "texts": st.none() | st.lists(st.text("ab /7", max_size=9), max_size=3),
    "name": st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True),
}


def good(parameter):
    return (
        GOOD[parameter.kind]
        if parameter.nullable
        else GOOD[parameter.kind].filter(lambda each: each is not None)
    )


def orders():
    """(action, good parameters) of every action, made from the description."""

    def parameters(action):
        known = ACTIONS[action].parameters
        return st.fixed_dictionaries(
            {name: good(each) for name, each in known.items() if each.required},
            optional={name: good(each) for name, each in known.items() if not each.required},
        )

    return st.sampled_from(sorted(ACTIONS)).flatmap(
        lambda action: st.tuples(st.just(action), parameters(action))
    )


class OrderTests(SynchronousTestCase):
    def test_read(self):
        """An order is read from its action and parameters; what may be missing is None."""
        self.assertEqual(readOrder(ACTIONS, "hold", {}, NOW), HoldOrder(None, None))
        self.assertEqual(
            readOrder(ACTIONS, "hold", {"reason": " x ", "until": NOW + 1}, NOW), HoldOrder("x", NOW + 1)
        )
        self.assertEqual(
            readOrder(ACTIONS, "hold", {"reason": "  ", "until": None}, NOW), HoldOrder(None, None)
        )
        self.assertEqual(readOrder(ACTIONS, "drain", {}, NOW), DrainOrder(None, None, None, None))
        self.assertEqual(
            readOrder(ACTIONS, "drain", {"deadline": NOW + 1, "on_deadline": "release", "group": "g"}, NOW),
            DrainOrder(None, NOW + 1, "release", "g"),
        )
        self.assertEqual(readOrder(ACTIONS, "release", {}, NOW), ReleaseOrder())
        self.assertEqual(readOrder(ACTIONS, "work", {"until": LATEST}, NOW), WorkOrder(LATEST))
        self.assertEqual(readOrder(ACTIONS, "work", {"until": None}, NOW), WorkOrder(None))

    @examples(10)
    @given(orders())
    def test_good(self, order):
        """Whatever the description calls good is an order."""
        action, parameters = order
        read = readOrder(ACTIONS, action, parameters, NOW)
        self.assertIsInstance(read, ACTIONS[action].order)
        until = parameters.get("until")
        if until is not None:
            self.assertEqual(read.until, until)

    @examples(10)
    @given(orders(), st.data())
    def test_anotherType(self, order, data):
        """A parameter of another type, too long, or not to come, is refused in a sentence that names it."""
        action, parameters = order
        known = ACTIONS[action].parameters
        if not known:
            return
        name = data.draw(st.sampled_from(sorted(known)))
        bad = {
            "text": JSON.filter(lambda each: not isinstance(each, str) and each is not None)
            | st.text("x", min_size=MAX_REASON + 1, max_size=2 * MAX_REASON)
            | st.sampled_from(["a\nb", "\0", "a\x1b[0m", "\udc80", "\x7f"]).map(lambda text: f"a{text}b"),
            "instant": JSON.filter(
                lambda each: isinstance(each, bool) or not isinstance(each, (int, float, type(None)))
            )
            | st.floats(max_value=NOW)
            | st.floats(min_value=LATEST, exclude_min=True)
            | st.just(float("nan"))
            | st.integers(max_value=int(NOW))
            | st.integers(min_value=int(LATEST) + 1),
            "choice": JSON.filter(lambda each: each is not None and each not in ON_DEADLINE),
            "flag": JSON.filter(lambda each: each is not None and not isinstance(each, bool)),
            "texts": JSON.filter(lambda each: not isinstance(each, list) and each is not None)
            | st.lists(st.integers(), min_size=1, max_size=3),
            "name": JSON.filter(lambda each: not isinstance(each, str))
            | st.sampled_from(["", " ", "a b", "-x", "x" * 65, "ä", "x\n"]),
        }[known[name].kind]
        parameters = {**parameters, name: data.draw(bad)}
        error = self.assertRaises(ValueError, readOrder, ACTIONS, action, parameters, NOW)
        self.assertNotIsInstance(error, UnknownAction)
        self.assertTrue(str(error).startswith(f"{name}: "), error)
        self.assertLess(len(str(error)), 300)
        json.dumps(str(error)).encode("ascii")

    @examples(10)
    @given(texts(), JSON)
    @example("Reason", "x")
    @example("by", "x")
    @example("x" * 100_000, None)
    def test_anotherParameter(self, name, value):
        """A parameter that there is not is refused, and those that there are, are named."""
        for action, known in ACTIONS.items():
            if name not in known.parameters:
                error = self.assertRaises(
                    ValueError,
                    readOrder,
                    ACTIONS,
                    action,
                    {**dict.fromkeys(known.parameters), name: value},
                    NOW,
                )
                self.assertIn(f"{action} has no parameter", str(error))
                self.assertLess(len(str(error)), 200)

    @examples(10)
    @given(texts().filter(lambda name: name not in ACTIONS))
    @example("HOLD")
    @example("hold ")
    def test_anotherAction(self, action):
        """An action that there is not is refused, and those that there are, are named."""
        error = self.assertRaises(UnknownAction, readOrder, ACTIONS, action, {}, NOW)
        self.assertIn("there are hold, drain, release, work", str(error))

    def test_required(self):
        """A parameter that is missing is named, with what it means."""
        error = self.assertRaises(ValueError, readOrder, ACTIONS, "work", {}, NOW)
        self.assertIn("work needs until: until when breaks are disregarded", str(error))

    def test_monsters(self):
        """Numbers of thousands of digits and deep nests are refused in a short sentence."""
        nest = []
        for _ in range(100_000):
            nest = [nest]
        for value in (10**5000, -(10**5000), nest):
            for name in ("until", "reason"):
                error = self.assertRaises(ValueError, readOrder, ACTIONS, "hold", {name: value}, NOW)
                self.assertLess(len(str(error)), 200)
        while nest:  # or else its end would recurse
            nest = nest.pop()
