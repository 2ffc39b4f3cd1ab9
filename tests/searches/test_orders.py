"""Any order is read as the description of orders says, and what is stored of any comes back."""

import json

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from presence.calendar.instants import LATEST
from presence.orders.reading import readOrder
from presence.orders.record import AdminRecord
from presence.orders.refusals import UnknownAction
from presence.orders.workers import ACTIONS, ON_DEADLINE, DrainOrder, HoldOrder, ReleaseOrder, WorkOrder
from presence.text import MAX_REASON
from tests.searches.cases import JSON, examples, texts

NOW = 1_800_000_000.25


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


INSTANTS = st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 2**40)
TEXTS = st.none() | texts()
DRAINS = st.builds(DrainOrder, TEXTS, INSTANTS, st.none() | st.sampled_from(ON_DEADLINE), TEXTS)
ORDERS = (
    st.builds(HoldOrder, TEXTS, INSTANTS) | DRAINS | st.just(ReleaseOrder()) | st.builds(WorkOrder, INSTANTS)
)


class OrderTests(SynchronousTestCase):
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


class AdminRecordTests(SynchronousTestCase):
    @examples(10)
    @given(st.lists(st.tuples(ORDERS, TEXTS, INSTANTS.filter(lambda at: at is not None))))
    def test_roundTrip(self, orders):
        """Whatever was ordered, the record comes back from the database as it went there."""
        record = AdminRecord()
        for order, by, now in orders:
            record = record.after(order, by, now)
        self.assertEqual(AdminRecord.fromDict(json.loads(json.dumps(record.toDict()))), record)

    @examples(10)
    @given(JSON)
    def test_strangers(self, value):
        """What is not a record is a ValueError."""
        self.assertRaises(ValueError, AdminRecord.fromDict, value)
