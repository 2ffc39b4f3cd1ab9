"""What is ordered on the page, and what it says when that cannot be."""

import time

from tests.integration.pagecase import ARM, AUTHZ, MAC, PLAIN, USERS, PageTestCase

ON_BREAK = 'worker.BuildSlave("vm-7", PASSWORD, onBreakDuring=Break("00:00", "24:00", reason="patches"))'


class OrderTests(PageTestCase):
    def logIn(self, user):
        """The page, in the browser of a user who has logged in."""
        page = self.browser.open(http_credentials={"username": user, "password": USERS[user]})
        page.goto(f"{self.url}auth/login")
        page.goto(f"{self.url}#/presence")
        self.row(page, "mac-mini")
        return page

    def alert(self, page):
        """What the dialog says has gone wrong."""
        return page.get_by_role("dialog").get_by_role("alert").inner_text()

    def test_roles(self):
        """Who may not is told so in words, and nothing has changed, also of those whom he may hold; the owner holds his own worker."""
        self.start(MAC, ARM, extra=AUTHZ)
        page = self.open()
        self.row(page, "mac-mini")
        self.hold(page, "mine now").click()
        said = self.alert(page)
        self.assertIn("mac-mini: you need to have role", said)
        self.assertIn("(you have not logged in)", said)
        login = page.get_by_role("dialog").get_by_role("link", name="Log in")
        self.assertEqual(login.get_attribute("href"), "auth/login?redirect=%2Fpresence")
        # what one has written is still there
        self.assertEqual(page.get_by_role("dialog").get_by_label("Why").input_value(), "mine now")
        self.assertEqual(self.sources(), ["offline"])

        page = self.logIn("me@example.org")
        self.button(page, "Builders").click()
        self.hold(page, "mine", button="Hold the builder mac-mini").click()
        self.assertIn("mac-mini: you need to have role", self.alert(page))
        page.keyboard.press("Escape")
        self.button(page, "Workers").click()
        self.button(page, "Select all 2 workers").click()
        self.hold(page, "all of them", button="Hold… 2 selected").click()
        said = self.alert(page)
        self.assertEqual(page.get_by_role("link", name="Log in").count(), 0)
        self.assertIn("aarch64: you need to have role", said)
        self.assertIn("nothing was ordered", said)
        self.assertIn("(you are me@example.org)", said)
        self.assertNotIn("mac-mini", said)
        page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        self.assertEqual([self.sources(name) for name in ("mac-mini", "aarch64")], [["offline"], ["offline"]])
        self.hold(page, "mine").click()
        self.assertShows(page, "mac-mini", "held by me@example.org", "mine")

        page = self.logIn("ann")
        for name, button in (("mac-mini", "Change the hold of mac-mini"), ("aarch64", "Hold aarch64")):
            self.hold(page, "audit", button=button).click()
            self.assertShows(page, name, "held by ann", "audit")

    def test_some(self):
        """The selected are held, and nobody else, and are selected no longer then; whom it cannot mean is left out, by name,
        and why.
        """
        self.start(MAC, ARM, ON_BREAK, PLAIN)
        page = self.open()
        self.row(page, "mac-mini")
        self.assertShows(page, "vm-7", "on a break")
        for action in ("Hold…", "Drain…", "Release…", "Work…", "Pause…"):
            self.assertTrue(self.button(page, f"{action} 0 selected").is_disabled())
        for name in ("aarch64", "plain"):
            page.get_by_label(f"Select {name}").check()
        self.button(page, "Hold… 2 selected").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("heading", name="Hold: aarch64").wait_for()
        dialog.get_by_text("Left out: plain. The reason: Buildbot's own workers cannot be held").wait_for()
        dialog.get_by_role("button", name="Hold", exact=True).click()
        page.get_by_role("status").get_by_text("1 worker is held").wait_for()
        self.assertEqual([self.sources(name)[-1] for name in ("aarch64", "mac-mini")], ["admin", "offline"])
        # who was left out is selected still; who is selected and not shown is not meant
        self.button(page, "Hold… 1 selected").wait_for()
        page.get_by_label("Search for workers, reasons, people").fill("connected MINI")
        page.locator('tr[data-worker="plain"]').wait_for(state="detached")
        self.button(page, "Select it").click()
        self.button(page, "Hold… 1 selected").click()
        dialog.get_by_role("heading", name="Hold: mac-mini").wait_for()
        dialog.get_by_role("button", name="Hold", exact=True).click()
        self.assertShows(page, "mac-mini", "held by anonymous")
        self.assertEqual(self.sources("vm-7"), ["offline", "break"])
        page.get_by_label("Search for workers, reasons, people").fill("")
        page.get_by_label("Select all shown").check()
        self.button(page, "Release… 4 selected").click()
        dialog.get_by_role("heading", name="Release: 2 workers").wait_for()
        dialog.get_by_text("Left out: plain, vm-7. The reason: no admin holds or drains them").wait_for()
        dialog.get_by_role("button", name="Release", exact=True).click()
        page.get_by_role("status").get_by_text("2 workers are released").wait_for()
        for name in ("aarch64", "mac-mini"):
            self.assertNotIn("admin", self.sources(name))
        self.browser.assertQuiet()

    def test_work(self):
        """A worker is let work in spite of its break, and then no longer; one without breaks has no such button."""
        self.start(MAC, ON_BREAK)
        page = self.open()
        self.assertShows(page, "vm-7", "on a break", "patches")
        self.assertEqual(self.button(page, "Work in spite of its breaks: mac-mini").count(), 0)
        # three buttons, and these are the widest, are one line where there is room for it
        page.set_viewport_size({"width": 1400, "height": 900})
        self.shell("hold", "vm-7")
        self.assertShows(page, "vm-7", "held by")
        buttons = self.row(page, "vm-7").locator(".presence-actions").get_by_role("button").all()
        self.assertEqual((len(buttons), len({each.bounding_box()["y"] for each in buttons})), (3, 1))
        self.shell("release", "vm-7")
        for choice, says in (
            ("for 2 hours", "works in its breaks until"),
            ("keep the breaks again, from now on", "patches"),
        ):
            self.button(page, "Work in spite of its breaks: vm-7").click()
            dialog = page.get_by_role("dialog")
            dialog.get_by_label("Until").select_option(label=choice)
            dialog.get_by_role("button", name="Let work").click()
            self.assertShows(page, "vm-7", says)
            self.assertEqual("break" in self.sources("vm-7"), says == "patches")
        self.browser.assertQuiet()

    def test_keyboard(self):
        """Without a mouse: a dialog is opened, filled in and sent; Escape leaves it, and the focus is where it was."""
        self.start(MAC)
        page = self.open()
        self.row(page, "mac-mini")
        hold = self.button(page, "Hold mac-mini")
        for key in ("Escape", "Enter"):
            hold.focus()
            page.keyboard.press("Enter")
            dialog = page.get_by_role("dialog", name="Hold: mac-mini")
            dialog.wait_for()
            # the focus is in the first field, and stays in the dialog
            page.keyboard.type("by key")
            self.assertEqual(dialog.get_by_label("Why").input_value(), "by key")
            for _ in range(5):
                page.keyboard.press("Tab")
                self.assertTrue(page.evaluate("!document.activeElement.closest('main :not(dialog) table')"))
            dialog.get_by_label("Why").focus()
            page.keyboard.press(key)
            dialog.wait_for(state="detached")
            if key == "Escape":
                self.assertTrue(hold.evaluate("(button) => button === document.activeElement"))
                self.assertEqual(self.sources(), ["offline"])
        self.assertShows(page, "mac-mini", "by key")
        # where there is nothing to fill in, Enter is yes, too
        self.button(page, "Release mac-mini").focus()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="Release: mac-mini")
        dialog.wait_for()
        page.keyboard.press("Enter")
        dialog.wait_for(state="detached")
        self.gone(page, "mac-mini", "by key")
        self.assertEqual(self.sources(), ["offline"])
        self.browser.assertQuiet()

    def test_drain(self):
        """Workers are drained together, with a deadline; to change the reason changes nothing else; and it is cancelled."""
        self.start(MAC, ARM)
        self.farm.worker("mac-mini").start().waitUntilConnected()
        running = self.farm.force("mac-mini", held=True)
        running.waitUntilRuns()
        page = self.open()
        self.assertShows(page, "mac-mini", "mac-mini #1")
        self.button(page, "Select all 2 workers").click()
        self.button(page, "Drain… 2 selected").click()
        dialog = page.get_by_role("dialog", name="Drain: 2 workers")
        dialog.get_by_label("Why").fill("kernel")
        dialog.get_by_label("What runs may go on").select_option(label="for 2 hours")
        dialog.get_by_label("Then").select_option(label="the drain is given up, and it accepts builds again")
        dialog.get_by_role("button", name="Drain", exact=True).click()
        page.get_by_role("status").get_by_text("2 workers are draining").wait_for()
        self.assertShows(page, "mac-mini", "draining", "drain by anonymous", "given up")
        before = self.drain()
        self.assertEqual((before["state"], before["on_deadline"]), ("draining", "release"))
        self.assertLess(abs(before["deadline"] - time.time() - 7200), 60)
        self.assertIsNotNone(before["group"])
        self.assertEqual(self.drain("aarch64"), before)
        self.button(page, "Change the drain of mac-mini").click()
        dialog = page.get_by_role("dialog", name="Drain: mac-mini")
        self.assertEqual(dialog.get_by_label("Why").input_value(), "kernel")
        dialog.get_by_label("Why").fill("new kernel")
        page.keyboard.press("Enter")
        self.assertShows(page, "mac-mini", "new kernel")
        self.assertEqual(self.drain(), before)
        running.letFinish()
        self.assertShows(page, "mac-mini", "drained")
        self.button(page, "Cancel the drain of mac-mini").click()
        page.get_by_role("dialog").get_by_role("button", name="Release").click()
        self.assertShows(page, "mac-mini", "available")
        self.assertIsNone(self.drain())
        self.browser.assertQuiet()

    def drain(self, name="mac-mini"):
        """How a worker is drained."""
        return self.farm.get(f"presences/{name}")["presences"][0]["drain"]

    def test_pause(self):
        """One of Buildbot's own workers is paused, and is not."""
        self.start(MAC, PLAIN)
        page = self.open()
        self.row(page, "plain")
        self.button(page, "Pause plain").click()
        dialog = page.get_by_role("dialog", name="Pause: plain")
        dialog.get_by_label("Why").fill("new disks")
        dialog.get_by_role("button", name="Pause").click()
        self.assertShows(page, "plain", "paused", "new disks")
        self.button(page, "Unpause plain").click()
        page.get_by_role("dialog", name="Unpause: plain").wait_for()
        page.keyboard.press("Enter")
        self.gone(page, "plain", "paused")
        self.assertEqual(self.sources("plain"), ["offline"])
        self.browser.assertQuiet()

    def test_past(self):
        """A time that is past is refused where it is written; that of a hold is offered when one changes it."""
        self.start(MAC)
        page = self.open(timezone_id="Asia/Tokyo")
        self.row(page, "mac-mini")
        send = self.hold(page, "lunch", "until a time…")
        field = page.get_by_role("dialog").get_by_label("Until", exact=True).nth(1)
        field.fill("2020-01-01T12:00")
        send.click()
        self.assertIn("1 Jan 2020 12:00 is past: it is", self.alert(page))
        self.assertEqual(self.sources(), ["offline"])
        field.fill("2099-01-01T09:00")
        send.click()
        self.assertShows(page, "mac-mini", "held by anonymous")
        (hold,) = self.farm.get("presences/mac-mini")["presences"][0]["holds"][1:]
        self.assertEqual(hold["until"], 4070908800)  # midnight in UTC
        self.button(page, "Change the hold of mac-mini").click()
        self.assertEqual(field.input_value(), "2099-01-01T09:00")
        self.browser.assertQuiet()

    def test_wrongClock(self):
        """In a browser whose clock is wrong "for 2 hours" is two hours, by the master's."""
        self.start(MAC)
        page = self.browser.open()
        page.add_init_script("const right = Date.now; Date.now = () => right() + 6 * 3600 * 1000;")
        page.goto(f"{self.url}#/presence")
        self.row(page, "mac-mini")
        self.hold(page, "lunch", "for 2 hours").click()
        self.assertShows(page, "mac-mini", "lunch")
        hold = self.farm.get("presences/mac-mini")["presences"][0]["holds"][-1]
        self.assertLess(abs(hold["until"] - time.time() - 7200), 60)
        self.browser.assertQuiet()
