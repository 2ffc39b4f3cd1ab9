import copy
import tracemalloc

from twisted.trial.unittest import SynchronousTestCase

from presence.master.listening import lastsent
from presence.master.listening.lastsent import LastSent


def entity(name="w0", **more):
    return {"name": name, "running": 0, "breaks": [{"start": 1.0}], "builders": [1, 2], "drain": None, **more}


class LastSentTests(SynchronousTestCase):
    """Nothing is told twice, and what was told can be told again when its subject is gone."""

    def setUp(self):
        self.sent = LastSent()

    def test_news(self):
        """Only what differs from what was told last of the same name is news."""
        self.assertTrue(self.sent.isNews(entity()))
        self.assertFalse(self.sent.isNews(entity()))
        self.assertTrue(self.sent.isNews(entity("w1")))
        self.assertTrue(self.sent.isNews(entity(breaks=[{"start": 2.0}])))
        self.assertTrue(self.sent.isNews(entity()))

    def test_forget(self):
        """Who is forgotten is told once more as he was, and would be news again."""
        self.sent.isNews(entity())
        self.sent.isNews(entity("w1", running=3))
        self.assertEqual(self.sent.names(), {"w0", "w1"})
        self.assertEqual(self.sent.forget("w1"), entity("w1", running=3))
        self.assertEqual(self.sent.names(), {"w0"})
        self.assertTrue(self.sent.isNews(entity("w1", running=3)))

    def test_whoeverHearsMayChangeIt(self):
        """What is remembered is nobody else's: neither the entity that was told, nor one that was forgotten."""
        first = entity()
        self.sent.isNews(first)
        first["breaks"][0]["start"] = 2.0
        first["builders"].clear()
        self.assertFalse(self.sent.isNews(entity()))
        self.sent.isNews(entity("w1"))
        self.sent.forget("w1")["builders"].clear()
        self.assertFalse(self.sent.isNews(entity()))

    def test_textIsNoList(self):
        """A text that looks like a list is not one."""
        self.sent.isNews(entity(reason="[1, 2]"))
        self.assertTrue(self.sent.isNews(entity(reason=[1, 2])))
        self.sent.isNews(entity(reason="[1, 2]"))
        self.assertEqual(self.sent.forget("w0"), entity(reason="[1, 2]"))

    def kilobytes(self, count, **more):
        entities = [copy.deepcopy(entity(f"w{number}", **more)) for number in range(count)]
        tracemalloc.start()
        for each in entities:
            self.sent.isNews(each)
        taken, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return taken / 1024

    def test_room(self):
        """A hundred workers with the same thousand builders take no more room than with none, but for one list."""
        with_many = self.kilobytes(100, builders=list(range(1000)))
        self.sent = LastSent()
        self.assertLess(with_many, self.kilobytes(100, builders=[]) + 100)

    def test_roomOfEach(self):
        """Of each of a thousand workers of which the same is told it remembers little more than its name."""
        each = (
            self.kilobytes(1000, **{f"field {number}": float(number) for number in range(20)}) * 1024 / 1000
        )
        self.assertLess(each, 200)

    def test_roomOfWhatDiffers(self):
        """What few have in common is not remembered for ever."""
        self.patch(lastsent, "_SHARED", 10)
        for number in range(1000):
            self.sent.isNews(entity(holds=[{"since": float(number)}]))
        self.assertLessEqual(len(self.sent._shared), 10)
        self.assertFalse(self.sent.isNews(entity(holds=[{"since": 999.0}])))
