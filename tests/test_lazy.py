from twisted.trial.unittest import SynchronousTestCase

from presence.lazy import MAKE, later


class Part:
    """Counts how often it is made, and what it is asked."""

    made = 0
    isOpen = True

    def __init__(self):
        Part.made += 1
        self.followed = []

    def follow(self, what):
        self.followed.append(what)
        return "followed"

    def count(self):
        return len(self.followed)


class LaterTests(SynchronousTestCase):
    """A part is made when it is first asked for what does not stand for it until then."""

    def setUp(self):
        Part.made = 0
        meanwhile = {
            "isOpen": False,
            "count": lambda: 0,
            "follow": lambda what: MAKE if what else None,
        }
        self.part = later(Part, meanwhile)

    def test_notMade(self):
        """What stands for it answers, and nothing is made."""
        self.assertEqual((self.part.isOpen, self.part.count(), self.part.follow("")), (False, 0, None))
        self.assertEqual(Part.made, 0)

    def test_made(self):
        """What wants it makes it, once; it answers itself from then on."""
        self.assertEqual(self.part.follow("x"), "followed")
        self.assertEqual((self.part.isOpen, self.part.count(), self.part.follow("")), (True, 1, "followed"))
        self.assertEqual(self.part.followed, ["x", ""])
        self.assertEqual(Part.made, 1)

    def test_unsaid(self):
        """It is made when it is asked for what nothing stands for."""
        self.assertEqual(self.part.followed, [])
        self.assertEqual(Part.made, 1)

    def test_keptMethod(self):
        """A method that was handed on before asks the part, as soon as there is one."""
        count, follow = self.part.count, self.part.follow
        self.assertEqual(count(), 0)
        follow("x")
        self.assertEqual(count(), 1)

    def test_set(self):
        """What is set is set of the part."""
        self.part.isOpen = "ajar"
        self.assertEqual((Part.made, self.part.isOpen, self.part.count()), (1, "ajar", 0))

    def test_fails(self):
        """A part that cannot be made is tried again when it is asked again."""
        problems = [ValueError("no"), None]

        def make():
            problem = problems.pop(0)
            if problem is not None:
                raise problem
            return Part()

        part = later(make, {})
        self.assertRaises(ValueError, getattr, part, "followed")
        self.assertEqual(part.followed, [])

    def test_unknown(self):
        """What the part has not got, nothing has."""
        self.assertRaises(AttributeError, getattr, self.part, "unknown")
