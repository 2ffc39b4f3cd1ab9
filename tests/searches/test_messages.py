"""Whatever arrives over the wire."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from presence.wire.reading import (
    MessageError,
    readAnnouncement,
    readAnswer,
    readStop,
)
from tests.searches.cases import examples, leaves, texts

NOW = 1_800_000_000.0


class RefusalTests(SynchronousTestCase):
    def check_anything(self, read, value):
        try:
            read(value, NOW)
        except MessageError as error:
            self.assertLess(len(str(error)), 1000)

    @examples(10)
    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | texts() | st.binary(),
            lambda inner: (
                st.lists(inner)
                | st.dictionaries(
                    st.sampled_from(
                        [
                            "version",
                            "now",
                            "state",
                            "reason",
                            "by",
                            "since",
                            "until",
                            "work_until",
                            "deadline",
                            "holds",
                            "error",
                        ]
                    )
                    | texts(),
                    inner,
                )
            ),
            max_leaves=leaves(8),
        )
    )
    def test_anything(self, value):
        """Whatever arrives is read, or refused with a short MessageError."""
        for read in (readAnnouncement, readStop, readAnswer):
            for each in (value, {"version": 1, **value} if isinstance(value, dict) else value):
                self.check_anything(read, each)
