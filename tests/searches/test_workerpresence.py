"""Any history of a presence."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from presence.model.states import SOURCES
from presence.model.workerpresence import WorkerPresence
from tests.searches.cases import examples


class AnyHistoryTests(SynchronousTestCase):
    """Whatever is done to a presence, it does what a list of (source, until) says."""

    step = st.one_of(
        st.tuples(
            st.just("hold"),
            st.sampled_from(SOURCES),
            st.one_of(st.none(), st.integers(min_value=-5, max_value=50)),
        ),
        st.tuples(st.just("release"), st.sampled_from(SOURCES), st.none()),
        st.tuples(st.just("advance"), st.none(), st.integers(min_value=0, max_value=30)),
        st.tuples(st.just("wait"), st.none(), st.none()),
        st.tuples(st.just("cancel"), st.none(), st.integers(min_value=0, max_value=9)),
    )

    @examples(20)
    @given(st.lists(step, max_size=30))
    def test_model(self, steps):
        """After every step the state is right, and exactly those wait who asked while it was held."""
        clock = Clock()
        presence = WorkerPresence("mac-mini", clock)
        model, waiting, fired = {}, [], []
        for what, source, number in steps:
            if what == "hold":
                until = None if number is None else clock.seconds() + number
                presence.hold(source, until=until)
                model[source] = until
            elif what == "release":
                presence.release(source)
                model.pop(source, None)
            elif what == "advance":
                clock.advance(number)
            elif what == "wait":
                waiting.append(presence.waitUntilReady())
                waiting[-1].addCallbacks(lambda _, d=waiting[-1]: fired.append(d), lambda _: None)
            elif number < len(waiting):
                waiting.pop(number).cancel()
            model = {each: until for each, until in model.items() if until is None or until > clock.seconds()}
            self.assertEqual({hold.source: hold.until for hold in presence.holds}, model)
            if model:
                self.assertEqual(fired, [])
            else:
                self.assertEqual(fired, waiting)
                waiting.clear()
                fired.clear()
        self.assertEqual(
            len(clock.getDelayedCalls()), sum(1 for until in model.values() if until is not None)
        )
