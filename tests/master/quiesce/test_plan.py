from twisted.trial.unittest import SynchronousTestCase

from presence.master.quiesce.plan import (
    BuilderDescription,
    Configuration,
    Conflict,
    Plan,
    TriggerableDescription,
    Triggers,
    makePlan,
)

WORKERS = {"mac": "Worker", "arm": "Worker"}
BOTH = BuilderDescription(frozenset(WORKERS))


def triggering(*names, waits=True):
    return BuilderDescription(frozenset(WORKERS), (Triggers(frozenset(names) if names else None, waits),))


def trig(*builders, kind="Triggerable"):
    return TriggerableDescription(kind, frozenset(builders) if builders else None)


class PlanTests(SynchronousTestCase):
    """What a reload would hurt, by the table of what was seen to hurt."""

    def plan(self, old, new, **keywords):
        """The plan between two configurations, each given as what differs from a common one."""
        common = {"workers": WORKERS, "builders": {"lib": BOTH, "app": BOTH}, "triggerables": {}}
        return makePlan(Configuration(**{**common, **old}), Configuration(**{**common, **new}), **keywords)

    def assertConflicts(self, plan, *conflicts):
        self.assertEqual([(each.builder, each.worker) for each in plan.conflicts], list(conflicts))
        self.assertTrue(all(each.why for each in plan.conflicts))

    def test_nothing(self):
        """What is the same, and what is added, hurts nobody."""
        plan = self.plan(
            {}, {"workers": {**WORKERS, "vm": "Worker"}, "builders": {"lib": BOTH, "app": BOTH, "doc": BOTH}}
        )
        self.assertEqual(plan, Plan())
        self.assertFalse(plan)

    def test_workerRemoved(self):
        """A worker that is removed hurts all that runs on it, and nothing else."""
        rest = {"lib": BuilderDescription(frozenset({"arm"})), "app": BuilderDescription(frozenset({"arm"}))}
        plan = self.plan({}, {"workers": {"arm": "Worker"}, "builders": rest})
        self.assertConflicts(plan, (None, "mac"))
        self.assertTrue(plan.covers("lib", "mac"))
        self.assertFalse(plan.covers("lib", "arm"))
        self.assertIn("removed", plan.whyWorker("mac"))
        self.assertIsNone(plan.whyWorker("arm"))

    def test_workerClass(self):
        """A worker whose class changes hurts all that runs on it."""
        plan = self.plan({}, {"workers": {"mac": "BuildSlave", "arm": "Worker"}})
        self.assertConflicts(plan, (None, "mac"))
        self.assertIn("from Worker to BuildSlave", plan.whyWorker("mac"))

    def test_classNames(self):
        """Classes are told by their names, and by the whole of them where these are the same."""
        for old, new, said in (
            ("buildbot.worker.base.Worker", "presence.BuildSlave", "from Worker to BuildSlave"),
            ("mine.Worker", "yours.Worker", "from mine.Worker to yours.Worker"),
        ):
            plan = self.plan({"workers": {"mac": old}}, {"workers": {"mac": new}})
            self.assertIn(said, plan.whyWorker("mac"))

    def test_workerRenamed(self):
        """A worker that is renamed is removed by its old name."""
        only = {"lib": BuilderDescription(frozenset({"big"})), "app": BuilderDescription(frozenset({"big"}))}
        plan = self.plan({}, {"workers": {"big": "Worker", "arm": "Worker"}, "builders": only})
        self.assertConflicts(plan, (None, "mac"), ("app", "arm"), ("lib", "arm"))

    def test_builderRemoved(self):
        """A builder that is removed hurts its own builds, on whatever worker, and no worker."""
        plan = self.plan({}, {"builders": {"app": BOTH}})
        self.assertConflicts(plan, ("lib", None))
        self.assertTrue(plan.covers("lib", "arm"))
        self.assertFalse(plan.covers("app", "arm"))
        self.assertIsNone(plan.whyWorker("arm"))
        self.assertEqual(plan.removedBuilders, {"lib"})

    def test_unassigned(self):
        """A worker that is taken from a builder hurts what that builder runs on it."""
        plan = self.plan({}, {"builders": {"lib": BuilderDescription(frozenset({"arm"})), "app": BOTH}})
        self.assertConflicts(plan, ("lib", "mac"))
        self.assertFalse(plan.covers("lib", "arm"))
        self.assertFalse(plan.covers("app", "mac"))

    def test_schedulerRemoved(self):
        """A triggered scheduler that is removed hurts the builds that may trigger it."""
        old = {
            "builders": {"lib": BOTH, "app": triggering("nightly"), "doc": triggering("other")},
            "triggerables": {"nightly": trig("lib"), "other": trig("lib")},
        }
        plan = self.plan(
            old, {"builders": {"lib": BOTH, "app": BOTH, "doc": BOTH}, "triggerables": {"other": trig("lib")}}
        )
        self.assertConflicts(plan, ("app", None))

    def test_schedulerClass(self):
        """So does one whose class changes; what it triggers may be known only while it runs."""
        old = {"builders": {"lib": BOTH, "app": triggering()}, "triggerables": {"nightly": trig("lib")}}
        new = {**old, "triggerables": {"nightly": trig("lib", kind="Mine")}}
        self.assertConflicts(self.plan(old, new), ("app", None))

    def test_schedulerChanged(self):
        """Other builders of a scheduler hurt nobody: Buildbot reconfigures it in place."""
        old = {"builders": {"lib": BOTH, "app": triggering()}, "triggerables": {"nightly": trig("lib")}}
        self.assertFalse(self.plan(old, {**old, "triggerables": {"nightly": trig("app")}}))

    def test_waitsForRemoved(self):
        """Whoever may wait for builds of a builder that is removed would wait for ever."""
        for builders in (("lib",), ()):
            old = {
                "builders": {"lib": BOTH, "app": triggering("nightly")},
                "triggerables": {"nightly": trig(*builders)},
            }
            new = {"builders": {"app": BOTH}, "triggerables": {"nightly": trig("app")}}
            self.assertConflicts(self.plan(old, new), ("app", None), ("lib", None))
            old["builders"] = {"lib": BOTH, "app": triggering("nightly", waits=False)}
            self.assertConflicts(self.plan(old, new), ("lib", None))

    def test_everything(self):
        """Everything is everything, and the reasons are kept."""
        plan = self.plan({}, {"builders": {"app": BOTH}}, everything=True)
        self.assertTrue(plan.covers("app", "arm"))
        self.assertEqual(plan.whyWorker("arm"), "everything is held")
        self.assertConflicts(plan, ("lib", None))
        self.assertTrue(self.plan({}, {}, everything=True))

    def test_all(self):
        """A hurt of every builder and every worker covers both."""
        plan = Plan((Conflict(None, None, "all"),))
        self.assertTrue(plan.covers("lib", "mac"))
        self.assertEqual(plan.whyWorker("mac"), "all")
