"""What the page shows: the views, what is chosen in them, and what becomes of it when the master goes away."""

import re
import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tests.integration.browser import Browser
from tests.integration.farm import break_
from tests.integration.pagecase import ARM, MAC, PLAIN, PageTestCase

NAMES = """(rows) => rows.map((row) => row.dataset.worker ?? row.dataset.builder)"""

# The bars of a worker: their kind, and where they begin and end, in parts of the week.
BARS = """
(row) => {
    const track = row.querySelector(".presence-track").getBoundingClientRect();
    return [...row.querySelectorAll(".presence-bar")].map((bar) => {
        const {left, right} = bar.getBoundingClientRect();
        const part = (x) => (x - track.left) / track.width;
        return [bar.className.replace("presence-bar presence-", ""), part(left), part(right), bar.title];
    });
}
"""


class ViewTests(PageTestCase):
    def names(self, page):
        """The workers or builders that are shown, in this order."""
        return page.locator("tbody tr").evaluate_all(NAMES)

    def waitForNames(self, page, *names):
        self.farm.waitFor(f"{names} are shown", lambda: self.names(page) == list(names))

    def test_choice(self):
        """Workers are chosen by text, state and builder, and sorted; all of it stands in the address of the page."""
        self.start(
            *(
                MAC,
                ARM,
                PLAIN,
                'worker.BuildSlave("win-10", PASSWORD)',
                'worker.BuildSlave("win-2", PASSWORD)',
            ),
            extra='c["services"] = [util.PresenceService(groups={"rack 2": ["win-*"], "macs": "mac-*"})]',
        )
        self.farm.worker("win-2").start().waitUntilConnected()
        # what turns the text around is seen, and stays in an element of its own
        self.farm.worker("win-10").start().waitUntilConnected()
        self.farm.post("presences/win-10", "hold", reason="licence \u202erenewal")
        page = self.open()
        self.row(page, "win-10").locator("bdi", has_text="licence \ufffdrenewal").wait_for()
        # numbers in names count as such
        self.waitForNames(page, "aarch64", "mac-mini", "plain", "win-2", "win-10")
        text = page.get_by_label("Search for workers, reasons, people")
        for words, names in (
            ("renewal", ["win-10"]),
            ("ANONYMOUS", ["win-10"]),
            ("in-", ["win-2", "win-10"]),
        ):
            text.fill("")
            text.press_sequentially(words)
            self.waitForNames(page, *names)
        text.fill("")
        # a chip for each kind of worker: those that are pressed are shown
        chips = page.get_by_role("group", name="State")
        chips.get_by_role("button", name="not connected").wait_for()
        self.assertEqual(
            [" ".join(each.split()) for each in chips.get_by_role("button").all_inner_texts()],
            ["1 available", "1 held", "3 not connected"],
        )
        chips.get_by_role("button", name="available").click()
        self.waitForNames(page, "win-2")
        chips.get_by_role("button", name="held").click()
        self.waitForNames(page, "win-2", "win-10")
        text.fill("nowhere")
        page.get_by_text("No worker is available or held, with “nowhere”.").wait_for()
        page.get_by_role("button", name="Show all workers").click()
        self.waitForNames(page, "aarch64", "mac-mini", "plain", "win-2", "win-10")
        group = page.get_by_label("Group")
        group.select_option("rack 2")
        self.waitForNames(page, "win-2", "win-10")
        group.select_option("")
        builder = page.get_by_label("Builder", exact=True)
        for words, names in (("win-1", ["win-10"]), ("plain", ["plain"])):
            builder.fill(words)
            self.waitForNames(page, *names)
        builder.fill("any")
        page.get_by_role("button", name="State", exact=True).click()
        self.waitForNames(page, "win-2", "win-10", "aarch64", "mac-mini", "plain")
        page.get_by_role("button", name="State", exact=True).click()
        self.waitForNames(page, "aarch64", "mac-mini", "plain", "win-10", "win-2")
        self.assertEqual(page.locator("th[aria-sort]").get_attribute("aria-sort"), "descending")
        page.reload()
        self.waitForNames(page, "aarch64", "mac-mini", "plain", "win-10", "win-2")
        self.assertEqual(builder.input_value(), "any")
        self.browser.assertQuiet()

    def test_manyRows(self):
        """Rows that are out of sight are not laid out; whoever looks with a screen reader has all of them."""
        many = 200
        self.start(*(f'worker.BuildSlave("w{number}", PASSWORD)' for number in range(many)))
        # (this Chromium believes that one is there)
        self.browser = Browser(self, "--force-renderer-accessibility")
        page = self.open()
        self.button(page, "Show all").click()
        last = self.row(page, f"w{many - 1}")
        cells = last.locator("td, th")
        laid_out = "(cells) => cells.map((each) => each.checkVisibility({contentVisibilityAuto: true}))"
        self.assertEqual(cells.evaluate_all(laid_out), 8 * [False])
        nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
        roles = [each["role"]["value"] for each in nodes]
        self.assertEqual((roles.count("row"), roles.count("rowheader")), (many + 1, many))
        names = {
            each["name"]["value"] for each in nodes if each["role"]["value"] == "button" and "name" in each
        }
        self.assertIn(f"Hold w{many - 1}", names)
        last.scroll_into_view_if_needed()
        self.farm.waitFor("it is laid out", lambda: all(cells.evaluate_all(laid_out)))
        # ... below the heads of the columns, each cell below its own
        heads = page.locator("thead th")
        left = "(cells) => cells.map((each) => each.getBoundingClientRect().left)"
        self.assertEqual(cells.evaluate_all(left), heads.evaluate_all(left))
        self.assertTrue(heads.last.evaluate("(head) => head.getBoundingClientRect().top >= 0"))
        self.browser.assertQuiet()

    def test_details(self):
        """What Buildbot knows of a machine stands below the name, if that is chosen; the choice stands in the address."""
        tokyo = (
            'worker.BuildSlave("tokyo", PASSWORD, onBreakDuring=("07:00", "19:00"), timezone="Asia/Tokyo")'
        )
        self.start(MAC, ARM, tokyo)
        worker = self.farm.worker("mac-mini")
        (worker.directory / "info" / "admin").write_text("Ann \u202e<ann@example.org>\n")
        (worker.directory / "info" / "host").write_text("in the\ncellar\n")
        worker.start().waitUntilConnected()
        page = self.open()
        self.row(page, "mac-mini")
        page.get_by_text("Details", exact=True).click()
        for name, text in (("Owner", "Ann \ufffd<ann@example.org>"), ("Host", "in the cellar")):
            page.get_by_label(name, exact=True).check()
            self.assertShows(page, "mac-mini", f"{name}: {text}")
        page.get_by_label("Zone", exact=True).check()
        self.assertShows(page, "tokyo", "Zone: Asia/Tokyo")
        for name in ("Owner", "Zone"):
            self.assertNotIn(name, self.row(page, "aarch64").text_content())
        page.reload()
        self.assertShows(page, "mac-mini", "Host: in the cellar")
        self.assertShows(page, "tokyo", "Zone: Asia/Tokyo")
        page.get_by_text("Details", exact=True).click()
        page.get_by_label("Owner", exact=True).uncheck()
        page.get_by_text("Owner: ").wait_for(state="detached")
        # so it does on the worker's own page
        page.goto(f"{self.url}#/presence?view=worker&worker=tokyo")
        page.locator("dt:text-is('Zone') + dd:text-is('Asia/Tokyo')").wait_for()
        self.browser.assertQuiet()

    def test_week(self):
        """Each break is a bar at its place in the seven days of the browser's zone, and so is now."""
        # one in which this day lasts for an hour more: both are half an hour off, and they are fifteen hours apart
        zones = map(ZoneInfo, ("Asia/Kolkata", "Pacific/Marquesas"))
        zone = next(each for each in zones if datetime.now(each).hour < 23)
        today = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)

        def at(days, hours):
            return (today + timedelta(days=days, hours=hours)).timestamp()

        breaks = [(at(1, 6), at(1, 18)), (at(3, 12), at(4, 12)), (at(6, 12), at(9, 0))]
        sparing = {"finishBefore": True, "deadline": 3600}
        more = [
            {"reason": "patches", **sparing},
            {"reason": "patches"},
            {"reason": "patches", "only": ["any"]},
        ]
        source = ", ".join(break_(*each, **which) for each, which in zip(breaks, more, strict=True))
        self.start(f'worker.BuildSlave("mac-mini", PASSWORD, onBreakDuring=[{source}])')
        page = self.open("presence?view=week", timezone_id=zone.key)
        row = self.row(page, "mac-mini")
        shown = row.evaluate(BARS)
        kinds = [each[0] for each in shown]
        self.assertEqual(kinds, ["break presence-finishes", "interrupts", "break", "partial"])
        interrupts = shown.pop(1)
        self.assertLess(abs(interrupts[1] - 31 / 24 / 7), 0.003)
        for (start, stop), (_, left, right, _) in zip(breaks, shown, strict=True):
            self.assertLess(abs(left - (start - at(0, 0)) / (7 * 86400)), 0.003)
            self.assertLess(abs(right - min(1, (stop - at(0, 0)) / (7 * 86400))), 0.003)
        day = (today + timedelta(days=1)).strftime("%a %-d %b")
        self.assertEqual(page.locator(".presence-days span").all_inner_texts()[:2], ["Today", day])
        date = f"{day} {today + timedelta(days=1):%Y}"
        self.assertEqual(
            shown[0][3],
            "break, patches, no build starts that would run into it, what runs is interrupted on "
            f"{date} 07:00: {date} 06:00 – 18:00",
        )
        self.assertEqual(interrupts[3], f"what runs is interrupted on {date} 07:00")
        self.assertIn("partial break, only any, patches", shown[2][3])
        mark = page.locator(".presence-week").evaluate("(week) => week.style.getPropertyValue('--now')")
        self.assertLess(abs(float(mark.rstrip("%")) / 100 - (time.time() - at(0, 0)) / (7 * 86400)), 0.003)
        # what somebody orders is drawn, too
        self.farm.post("presences/mac-mini", "hold", reason="\u202edisks", until=at(2, 0))
        row.get_by_title("held by anonymous (\ufffddisks)").wait_for()
        self.farm.post("presences/mac-mini", "work", until=at(4, 0))
        row.get_by_title("works in spite of its break, patches").nth(1).wait_for()
        kinds = [
            (kind, round(7 * left, 2), round(7 * right, 2)) for kind, left, right, _ in row.evaluate(BARS)
        ]
        self.assertEqual(
            [each for each in kinds if each[0] == "worked"], [("worked", 1.25, 1.75), ("worked", 3.5, 4.0)]
        )
        self.assertIn(("break", 4.0, 4.5), kinds)
        # other weeks are asked for: the last of the breaks goes on in the next one
        self.button(page, "One week ahead").click()

        def bars():
            return [
                (kind, round(7 * left, 1), round(7 * right, 1)) for kind, left, right, _ in row.evaluate(BARS)
            ]

        self.farm.waitFor("the next week is shown", lambda: bars() == [("partial", 0.0, 2.0)])
        # none of the workers is connected
        self.button(page, "Builders: who can build when").click()
        gap = page.locator('tr[data-builder="any"] .presence-gap')
        self.assertIn("none of its workers is ready", gap.get_attribute("title"))
        # the page of the worker
        page.goto(f"{self.url}#/presence?view=worker&worker=mac-mini")
        about = page.get_by_role("region", name="mac-mini")
        about.get_by_text("held by anonymous (\ufffddisks), since").wait_for()
        about.get_by_text("Next breaks").wait_for()
        about.get_by_role("link", name="any").wait_for()
        self.button(page, "Change the hold of mac-mini").wait_for()
        self.browser.assertQuiet()

    def test_builders(self):
        """Builders with pending requests and no ready worker come first, with the reason and the time."""
        self.start(MAC, ARM, PLAIN)
        self.farm.worker("aarch64").start().waitUntilConnected()
        until = time.time() + 3600
        self.farm.post("presences/mac-mini", "hold", reason="disks", until=until)
        page = self.open("presence?view=builders")
        self.waitForNames(page, "mac-mini", "plain", "aarch64", "any")
        page.get_by_text("no pending request waits for a ready worker").wait_for()
        self.farm.force("plain")
        self.waitForNames(page, "plain", "mac-mini", "aarch64", "any")
        page.get_by_text("1 builder with pending requests and no ready worker").wait_for()
        cells = page.locator('tr[data-builder="plain"]').locator("td").all_inner_texts()
        self.assertEqual(
            cells, ["not accepting", "0 of 1", "1", "plain: not connected", "not known", "Hold…"]
        )
        cells = page.locator('tr[data-builder="any"]').locator("td").all_inner_texts()
        self.assertEqual(cells[:3], ["available", "1 of 3", ""])
        self.farm.worker("mac-mini").start().waitUntilConnected()
        page.locator('tr[data-builder="mac-mini"]').get_by_text(re.compile(r"in (1 h|5\d min)")).wait_for()
        self.holdBuilder(page, "any")
        page.get_by_label("Search for builders").fill("MAC")
        self.waitForNames(page, "mac-mini")
        self.browser.assertQuiet()

    def holdBuilder(self, page, name):
        """A builder itself is held for two hours, with a reason; that is changed, and then it is released."""

        def hold():
            return self.farm.get(f"builders/{name}/presence")["builderpresences"][0]["hold"]

        row, dialog = page.locator(f'tr[data-builder="{name}"]'), page.get_by_role("dialog")
        self.button(page, f"Hold the builder {name}").click()
        dialog.get_by_text("no build of it starts, wherever").wait_for()
        dialog.get_by_label("Why").fill("the key has expired")
        dialog.get_by_label("Until").select_option(label="for 2 hours")
        self.browser.look(page, "page-hold-builder")
        dialog.get_by_role("button", name="Hold", exact=True).click()
        row.get_by_text("held by anonymous (the key has expired)").wait_for()
        page.get_by_role("status").get_by_text("1 builder is held").wait_for()
        row.get_by_text(re.compile(r"in (2 h|1 h 5\d min)")).wait_for()
        until = hold()["until"]
        self.assertApproximates(until, time.time() + 7200, 300)
        self.browser.look(page, "page-builder-held")
        page.set_viewport_size({"width": 1024, "height": 768})
        buttons = row.locator(".presence-actions")
        tops = {each.bounding_box()["y"] for each in buttons.get_by_role("button").all()}
        self.assertEqual(len(tops), 1)
        self.assertTrue(buttons.evaluate("each => each.scrollWidth <= each.clientWidth"))
        self.button(page, f"Change the hold of the builder {name}").click()
        dialog.get_by_label("Why").fill("a new key")
        dialog.get_by_role("button", name="Hold", exact=True).click()
        row.get_by_text("(a new key)").wait_for()
        # (what one does not change stays)
        self.assertApproximates(hold()["until"], until, 60)
        self.button(page, f"Release the builder {name}").click()
        dialog.get_by_role("button", name="Release", exact=True).click()
        row.get_by_text("available").wait_for()
        self.assertIs(hold(), None)

    def test_looks(self):
        """Light and dark, as the browser wants it or as it is set; and Buildbot's own pages stay as they are."""
        self.start(MAC, ARM, PLAIN)
        page = self.open(scheme="dark")
        self.row(page, "mac-mini")

        def ground():
            return page.evaluate("getComputedStyle(document.body).backgroundColor")

        dark, light = "rgb(27, 30, 35)", "rgb(255, 255, 255)"
        self.assertEqual(ground(), dark)
        for view in ("Week", "Builders", "Workers"):
            self.button(page, view).click()
            self.browser.look(page, f"page-{view.lower()}")
        self.button(page, "Hold mac-mini").click()
        self.browser.look(page, "page-dialog")
        page.keyboard.press("Escape")
        page.emulate_media(color_scheme="dark")
        page.goto(f"{self.url}#/settings")
        page.get_by_text("Presence page related settings").wait_for()
        self.assertEqual(ground(), light)
        page.locator("select", has_text="as the browser").select_option("light")
        page.goto(f"{self.url}#/presence")
        self.row(page, "mac-mini")
        self.assertEqual(ground(), light)
        self.browser.assertQuiet()


class AbsenceTests(PageTestCase):
    def test_restart(self):
        """While the master is away the page says that it is not up to date; then it is, without a reload."""
        self.start(MAC)
        page = self.open()
        self.row(page, "mac-mini")
        self.farm.kill()
        banner = page.get_by_text("Not up to date")
        banner.wait_for()
        self.farm.start()
        self.farm.post("presences/mac-mini", "hold", reason="meanwhile")
        self.assertShows(page, "mac-mini", "meanwhile")
        banner.wait_for(state="detached")
        self.farm.post("presences/mac-mini", "hold", reason="afterwards")
        self.assertShows(page, "mac-mini", "afterwards")

    def test_reconfig(self):
        """A worker that comes into the configuration, or leaves it, does so on the page; a builder likewise."""
        self.start(MAC)
        page = self.open()
        self.row(page, "mac-mini")
        self.farm.reconfigure(ARM, extra='c["www"]["plugins"] = {"presence": {}}\n')
        self.row(page, "aarch64")
        page.locator('tr[data-worker="mac-mini"]').wait_for(state="detached")
        self.button(page, "Builders").click()
        page.locator('tr[data-builder="aarch64"]').wait_for()
        self.assertEqual(page.locator('tr[data-builder="mac-mini"]').count(), 0)
        self.browser.assertQuiet()

    def test_stockWorkersOnly(self):
        """A master without presences is told of in words."""
        self.start(PLAIN)
        page = self.open()
        page.get_by_text("This master has no presences yet: they come with the first BuildSlave").wait_for()
