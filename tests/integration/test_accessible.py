"""Each view in a real Chromium, light and dark: axe-core finds nothing serious, and all of it works with the keyboard."""

import os
import time
from pathlib import Path

from twisted.trial.unittest import SkipTest

from tests.integration.axe import AXE, seriousOnes
from tests.integration.farm import break_
from tests.integration.pagecase import PLAIN, PageTestCase

HOUR = 3600

LONG = "a-worker-with-a-name-longer-than-anybody-wants"

# Everybody may do everything, and a rule says so.
RULES = """
from buildbot.www.authz.roles import RolesFromBase

class Everybody(RolesFromBase):
    def getRolesFromUser(self, userDetails):
        return ["admins"]

c["www"]["authz"] = util.Authz(
    allowRules=[util.AnyControlEndpointMatcher(role="admins")], roleMatchers=[Everybody()]
)
"""

# What looks as if one could click on it, and is neither reached with the keyboard nor part of what is.
CLICKABLE = """
(where) => [...document.querySelectorAll(`${where} *`)]
    .filter((each) => getComputedStyle(each).cursor === "pointer")
    .filter((each) => !each.closest("a[href], button, input, select, textarea, label, summary"))
    .map((each) => each.outerHTML.slice(0, 200))
"""

# What the focus is in when it goes on with Tab: nothing outside of ours, and whether one sees where it is.
FOCUSED = """
(where) => {
    const each = document.activeElement;
    if (!each.closest(where)) return null;
    const {outlineStyle, outlineWidth, boxShadow} = getComputedStyle(each);
    const seen = (outlineStyle !== "none" && outlineWidth !== "0px") || boxShadow !== "none";
    each.dataset.reached = "yes";
    return {seen, what: each.outerHTML.slice(0, 200)};
}
"""
LEFT = """
(where) => [...document.querySelectorAll(`${where} :is(a[href], button, input, select, textarea)`)]
    .filter((each) => !each.disabled && each.checkVisibility() && !each.dataset.reached && each.type !== "radio")
    .map((each) => each.outerHTML.slice(0, 200))
"""

MAIN, DIALOG, STRIP = "main.presence", "dialog", ".presence-strip"


class AccessibleTests(PageTestCase):
    def begin(self):
        """A master on which there is something of everything."""
        now = time.time()
        breaks = [
            break_(now - HOUR, now + HOUR, reason="office hours"),
            break_(now + 30 * HOUR, now + 40 * HOUR, only=["any"]),
        ]
        self.start(
            *(
                f'worker.BuildSlave("{name}", PASSWORD, locks=[util.MasterLock("db").access("exclusive")])'
                for name in ("mac-mini", "locked")
            ),
            PLAIN,
            f'worker.BuildSlave("{LONG}", PASSWORD, onBreakDuring=[{", ".join(breaks)}])',
            'worker.BuildSlave("vm-7", PASSWORD)',
            extra=RULES,
        )
        for name in ("mac-mini", "locked", "plain", "vm-7"):
            self.farm.worker(name).start().waitUntilConnected()
        self.farm.post("presences/vm-7", "hold", reason="new disks", until=now + 2 * HOUR)
        self.farm.force("mac-mini", held=True).waitUntilRuns()
        self.farm.force("mac-mini")
        self.farm.force("vm-7")

    def views(self):
        """Each view in its turn: what it is called, the page, and what of it is ours."""
        page = self.open()
        for address in (
            "presence?view=builders",
            "presence?view=week",
            "presence?view=week&days=28&ahead=28",
            "presence?view=week&rows=builders",
            f"presence?view=worker&worker={LONG}",
            "presence?text=nobody",
            "presence",
        ):
            page.goto(f"{self.url}#/{address}")
            # (elsewhere in the same application there is nothing to load)
            page.reload()
            page.locator(MAIN).wait_for()
            page.wait_for_load_state("networkidle")
            yield address, page, MAIN
        for button in ("Hold mac-mini", "Drain mac-mini", "Change the hold of vm-7", "Pause plain"):
            self.button(page, button).click()
            page.get_by_role("dialog").wait_for()
            yield button, page, DIALOG
            page.keyboard.press("Escape")
            page.get_by_role("dialog").wait_for(state="detached")
        self.button(page, "Reconfigure…").click()
        page.get_by_role("region", name="Reconfiguration").wait_for()
        yield "reconfiguration", page, MAIN
        self.farm.post("shutdown", "stop", reason="new disks")
        page.get_by_role("status", name="Stop of the master").wait_for()
        yield "stopping", page, MAIN
        self.farm.post("shutdown", "cancel")
        page.get_by_role("status", name="Stop of the master").wait_for(state="detached")
        page.goto(f"{self.url}#/pendingbuildrequests")
        page.locator(STRIP).wait_for()
        yield "strip", page, STRIP

    def test_views(self):
        """In each view axe-core finds nothing serious, light or dark; Tab reaches all that can be pressed, one sees where it is,
        and nothing is for the mouse only.
        """
        self.begin()
        found = {}
        for name, page, where in self.views():
            for scheme, other in (("dark", "light"), ("light", "dark")):
                # (with motion, colours would be between two themes for a while)
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                page.locator(f":root:not([data-presence-theme={other}])").wait_for()
                if problems := self.seriousOnes(page, where, f"view-{name}-{scheme}"):
                    found[f"{name}, {scheme}"] = problems
            if problems := self.keyboard(page, where):
                found[name] = problems[:8]
        self.assertEqual(found, {}, found)

    def test_axe(self):
        """What has looked is axe-core."""
        if not AXE.exists():
            raise SkipTest(f"axe-core is not in {AXE}: `make node-tools` puts it there, where there is npm")

    def seriousOnes(self, page, where, name):
        """What axe-core finds, where it is there."""
        if directory := os.environ.get("PRESENCE_SCREENSHOTS"):
            file = "".join(each if each.isalnum() else "-" for each in name)
            page.screenshot(path=Path(directory) / f"{file[:60]}.png", full_page=True)
        return seriousOnes(page, where)

    def keyboard(self, page, where):
        """What cannot be done with the keyboard."""
        problems = [f"for the mouse only: {each}" for each in page.evaluate(CLICKABLE, where)]
        page.evaluate(
            "where => document.querySelector(where).querySelector('a, button, input, select')?.focus()", where
        )
        # (the first is focused by a script, which shows no ring)
        page.evaluate(FOCUSED, where)
        for _ in range(150):
            page.keyboard.press("Tab")
            focused = page.evaluate(FOCUSED, where)
            if focused is None:
                break
            if not focused["seen"]:
                problems.append(f"not seen: {focused['what']}")
        return problems + [f"not reached: {each}" for each in page.evaluate(LEFT, where)]
