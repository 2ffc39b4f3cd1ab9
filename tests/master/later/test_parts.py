"""What stands for a part that nobody has asked for anything says what such a part would say."""

from twisted.internet.defer import Deferred

from presence.breaks.schedule import Break
from presence.lazy import MAKE
from presence.orders.shutdown import StopOrder
from presence.orders.workers import DrainOrder
from tests.master.fakemaster import MasterTestCase

PARTS = (
    "_blocks",
    "_given_up",
    "_report",
    "_requeue",
    "breakDeadlines",
    "breakDoor",
    "drains",
    "reconfigurations",
    "shutdown",
)


class PartsTests(MasterTestCase):
    def part(self, name):
        """What was made for this stand-in, or None."""
        return getattr(self.assembly, name)._later_part

    def made(self):
        return {name for name in PARTS if self.part(name) is not None}

    def answer(self, asked, args, keywords):
        """What this attribute, or this method, says."""
        said = asked(*args, **keywords) if callable(asked) else asked
        return self.resultOf(said) if isinstance(said, Deferred) else said

    def test_nobodyAsks(self):
        """A farm that builds, with breaks that do no more than hold, has none of them."""
        self.startMaster(
            [
                self.slave("mac-mini", onBreakDuring=[Break("12:00", "14:00")], timezone="UTC"),
                self.stock("plain"),
            ]
        )
        self.request()
        self.request()
        self.setClock(12.5)
        self.assertEqual(self.made(), set())

    def test_same(self):
        """Each says what one that has just been made says, by the name of whatever it is asked for."""
        self.startMaster([self.slave("mac-mini")])
        worker = self.worker("mac-mini")
        arguments = {
            **dict.fromkeys(("changed", "admits", "exempts", "follow"), (worker,)),
            **dict.fromkeys(
                ("isBusy", "isGuarded", "refusals", "interruptsAt", "ofWorker", "forget"), (worker.name,)
            ),
            **dict.fromkeys(("workerChanged",), (worker.name,)),
            **dict.fromkeys(("ofBuilder", "mayConcern"), ("runtests",)),
            **dict.fromkeys(("why", "whyNot"), (worker.name, "runtests")),
            "holdsChanged": (worker.presence,),
            "onlyChildren": ("runtests", worker),
            "mayStart": ("runtests", worker, None),
            "wasAdmitted": (worker, None),
            "ofPair": ("runtests", worker.name),
        }
        keywords = {"exempts": {"child": True}, "ofPair": {"idle": True}}
        for part in PARTS:
            stand_in = getattr(self.assembly, part)
            fresh = stand_in._later_make()
            # (`stop` is the last)
            for name, said in sorted(stand_in._later_meanwhile.items(), key=lambda item: item[0] == "stop"):
                args, more = arguments.get(name, ()), keywords.get(name, {})
                if (part, name) == ("_blocks", "follow"):
                    args = ()
                answer = self.answer(said, args, more)
                if answer is not MAKE:
                    self.assertEqual(answer, self.answer(getattr(fresh, name), args, more), f"{part}.{name}")
            self.assertIsNone(self.part(part))

    def test_drain(self):
        """The first drain makes what knows drains."""
        self.startMaster([self.slave("mac-mini")])
        self.resultOf(self.assembly.storedOrders.follow(("mac-mini",), DrainOrder(), "ann"))
        self.assertEqual(self.made() & {"drains", "breakDoor"}, {"drains"})

    def test_breaks(self):
        """The first worker whose breaks spare builds makes the door, and the first whose breaks interrupt them the deadlines."""
        self.startMaster(
            [
                self.slave(
                    "mac-mini", onBreakDuring=[Break("12:00", "14:00", finishBefore=True)], timezone="UTC"
                )
            ]
        )
        self.assertEqual(self.made(), {"breakDoor"})

    def test_shutdown(self):
        """The stop of a master is made when it is ordered, and only looked at before."""
        self.startMaster([self.slave("mac-mini")])
        self.assertIsNone(self.assembly.shutdown.stopping)
        self.assertEqual(self.made(), set())
        self.assembly.shutdown.request(StopOrder(), "ann")
        self.assertEqual(self.made(), {"shutdown"})
        self.assembly.shutdown.cancel("ann")
