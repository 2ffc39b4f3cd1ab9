"""The owner's page in a real Chromium: with a real master and a real worker, and with other pages beside it."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from presence.commands import exits
from presence.wire.localaddress import OPEN_FILENAME, LocalFile
from tests.integration.axe import seriousInBothThemes
from tests.integration.browser import Browser
from tests.integration.farm import Farm
from tests.integration.ownerscommands import Terminal
from tests.integration.processes import waitFor
from tests.integration.test_wire import AWAY, OURS, onBreakFor


class PageCase(SynchronousTestCase):
    def open(self, browser, owner, **options):
        """The page, as `presence open` opens it."""
        owner.do(exits.DONE, "open", BROWSER="true %s")
        page = browser.open((owner.worker.directory / OPEN_FILENAME).as_uri(), **options)
        page.wait_for_url(f"http://127.0.0.1:{self.port(owner)}/")
        return page

    def port(self, owner):
        return LocalFile(str(owner.worker.directory)).read().port

    def saysThat(self, page, selector, part):
        """Wait until this part of the page contains the text."""
        page.locator(selector, has_text=part).wait_for()


class PageTests(PageCase):
    def begin(self, worker=OURS, arguments=""):
        self.browser = Browser(self)
        self.farm = Farm(self)
        self.farm.configure(worker)
        self.farm.start()
        owner = Terminal(self, self.farm.worker("mac-mini"), arguments).start()
        owner.waitUntilHeard()
        return owner

    def masterSees(self, state, *reasons):
        """Wait until the master sees the worker so."""

        def seen():
            (presence,) = self.farm.get("presences")["presences"]
            return (presence["state"], tuple(hold["reason"] for hold in presence["holds"])) == (
                state,
                reasons,
            )

        self.farm.waitFor(f"the master sees {state} {reasons}", seen)

    def test_awayAndBack(self):
        """A click on away is heeded by the master, what happens there is seen without reloading, and a click on
        back ends it. axe-core finds nothing serious, away or not, light or dark.
        """
        owner = self.begin()
        page = self.open(self.browser, owner)
        self.saysThat(page, "#headline", "Accepts builds")
        self.assertEqual(page.get_by_role("button", name="Back", exact=True).count(), 0)
        self.saysThat(page, "#master", "The master agrees")
        runs = self.farm.force("mac-mini", held=True).waitUntilRuns()
        self.saysThat(page, "#running", "mac-mini, for")
        page.get_by_label("Reason").fill("rendering <b>&</b>")
        page.get_by_role("button", name="3 hours").click()
        self.saysThat(page, "#headline", "Does not accept builds")
        self.saysThat(page, "#holds", "away (rendering <b>&</b>), since")
        self.masterSees(AWAY, "rendering <b>&</b>")
        waits = self.farm.force("any")
        (presence,) = self.farm.get("presences")["presences"]
        self.farm.post(f"presences/{presence['workerid']}", "hold", reason="new \u202edisk")
        self.saysThat(page, "#holds", "until it is ended")
        # what turns the text around is seen, and stays in an element of its own
        self.saysThat(page, "#holds bdi", "new \ufffddisk")
        self.browser.look(page, "owner-away")
        self.assertEqual(seriousInBothThemes(page, "html"), {})
        runs.letFinish().waitUntilBuilt()
        self.saysThat(page, "#running", "Nothing.")
        self.assertEqual(waits.builds, [])
        page.get_by_role("button", name="Back", exact=True).click()
        # the admin's stays, and is not the owner's to end
        page.locator("#holds", has_not_text="rendering").wait_for()
        self.masterSees(AWAY, "new \u202edisk")
        self.assertEqual(page.get_by_role("button", name="Back", exact=True).count(), 0)
        self.farm.post(f"presences/{presence['workerid']}", "release")
        self.saysThat(page, "#headline", "Accepts builds")
        waits.waitUntilBuilt()
        self.browser.look(page, "owner-available")
        self.assertEqual(seriousInBothThemes(page, "html"), {})
        self.browser.assertQuiet()

    def test_returning(self):
        """What becomes of what runs while a sensor holds is said in the words of the command line, and no longer than that."""
        flag = Path(self.mktemp()).absolute()
        sensor = f"__import__('presence.worker.sensors').worker.sensors.Command({f'test -e {flag}'!r}, quiet=0, every=0.5)"
        owner = self.begin(arguments=f"sensors=[{sensor}], onReturn='suspend'")
        page = self.open(self.browser, owner)
        runs = self.farm.force("mac-mini", held=True).waitUntilRuns()
        flag.touch()
        self.saysThat(page, "#returning", "What runs is suspended, and is sent back ")
        (said,) = [line for line in owner.do(exits.DONE, "status").split("\n") if "what runs is" in line]
        self.assertEqual(page.locator("#returning").inner_text().lower(), f"{said.strip().lower()}.")
        flag.unlink()
        page.locator("#returning", has_text="suspended").wait_for(state="hidden")
        runs.letFinish().waitUntilBuilt()
        self.browser.assertQuiet()

    def test_keyboard(self):
        """All of it works with the keyboard alone: a break is worked through, and the worker is stopped."""
        owner = self.begin(f'worker.BuildSlave("mac-mini", PASSWORD, onBreakDuring={onBreakFor(3600)})')
        page = self.open(self.browser, owner, size=(360, 740))
        self.saysThat(page, "#holds", "on a break")
        self.assertEqual(page.locator("#week .bar.break").count() > 0, True)

        def press(name):
            """Go to the button with Tab, and press it."""
            for _ in range(40):
                page.keyboard.press("Tab")
                if page.evaluate("document.activeElement.textContent").strip() == name:
                    return page.keyboard.press("Enter")
            raise AssertionError(f"no Tab leads to {name}")

        press("Work anyway")
        self.saysThat(page, "#working", "Works in spite of its breaks")
        self.masterSees("AVAILABLE")
        press("No longer")
        self.masterSees(AWAY, None)
        press("Stop when idle…")
        page.get_by_role("dialog").wait_for()
        page.keyboard.press("Escape")
        page.get_by_role("dialog").wait_for(state="hidden")
        self.assertIsNone(owner.status()["stopping"])
        press("Stop when idle…")
        press("Stop when idle")
        waitFor("the worker ends", lambda: not owner.worker.running)
        self.saysThat(page, "#link", "run “buildbot-worker start” and “presence open” in its directory")
        self.assertTrue(page.get_by_role("button", name="1 hour").is_disabled())

    def test_wordsOfTheWorker(self):
        """What the worker refuses is shown; a code that is wrong lets nobody in, and the right one does."""
        owner = self.begin()
        page = self.open(self.browser, owner)
        self.saysThat(page, "#headline", "Accepts builds")
        page.get_by_label("Reason").fill("x\u2028y")
        page.get_by_role("button", name="1 hour").click()
        self.saysThat(page, "#problem", "plain text on one line")
        self.assertEqual(owner.sources(), [])
        other = self.browser.open(f"http://127.0.0.1:{self.port(owner)}/")
        other.get_by_label("Code").fill("abcd-abcd-abcd-abcd")
        other.get_by_role("button", name="Open").click()
        other.get_by_text("this is not the code").wait_for()
        other.get_by_role("link", name="Back").click()
        self.browser.look(other, "owner-closed")
        other.get_by_label("Code").fill(owner.do(exits.DONE, "open", "--no-browser").split()[-1])
        other.get_by_role("button", name="Open").click()
        self.saysThat(other, "#headline", "Accepts builds")


# What a page of somebody else tries, in the browser of the owner, while the owner's page is open. `report` is
# called with all that it has got.
ATTACK = """<!doctype html><title>attack</title><body><script>
const target = %r;
const got = [];
const orders = ["away", "back", "work", "stop", "ticket"];
async function attack() {
  for (const path of ["/api/status", "/api/events", "/", ...orders.map((each) => `/api/${each}`)]) {
    for (const mode of ["cors", "no-cors"]) {
      for (const method of ["GET", "POST"]) {
        for (const type of ["text/plain", "application/json", "application/x-www-form-urlencoded"]) {
          try {
            const headers = method === "POST" ? { "Content-Type": type } : {};
            const body = method === "POST" ? "{}" : undefined;
            const answer = await fetch(target + path, { mode, method, credentials: "include", headers, body });
            got.push(await answer.text());
          } catch (error) { /* as it should be */ }
        }
      }
    }
  }
  for (const order of orders) {
    const frame = Object.assign(document.createElement("iframe"), { name: order });
    const form = Object.assign(document.createElement("form"), { method: "post", target: order, action: `${target}/api/${order}` });
    document.body.append(frame, form);
    form.submit();
  }
  const frame = Object.assign(document.createElement("iframe"), { src: target });
  document.body.append(frame);
  await new Promise((done) => { frame.onload = done; frame.onerror = done; });
  try { got.push(frame.contentDocument.body.textContent); } catch (error) { /* as it should be */ }
  try { got.push(localStorage.getItem("presence-session") ?? ""); } catch (error) { /* likewise */ }
  document.title = "done";
  window.got = got;
}
attack();
</script>"""


class OtherPagesTests(PageCase):
    """Pages in the owner's browser get nothing. The worker needs no master for this."""

    def serve(self, content):
        """The port of somebody else's server on this machine; `self.requests` are the headers that it is sent."""
        self.requests = []
        requests = self.requests

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                requests.append(dict(self.headers))
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(content().encode())

            do_POST = do_GET

            def log_message(self, *args):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server.server_port

    def test_others(self):
        """A page of another site, one on another port of this machine, and one under a name that was made to
        point here (DNS rebinding) learn nothing and change nothing, while the owner's own page is open.
        """
        browser = Browser(self, "--host-resolver-rules=MAP evil.example 127.0.0.1")
        owner = Terminal(self, Farm(self).worker("mac-mini")).start()
        page = self.open(browser, owner)
        self.saysThat(page, "#headline", "Accepts builds")
        session = page.evaluate("localStorage.getItem('presence-session')")
        self.assertEqual(len(session), 64)
        port = self.port(owner)
        target = f"http://127.0.0.1:{port}"
        theirs = self.serve(lambda: ATTACK % target)
        before = owner.status()
        for origin in (
            f"http://evil.example:{theirs}",
            f"http://127.0.0.1:{theirs}",
            f"http://localhost:{theirs}",
        ):
            other = page.context.new_page()
            other.goto(origin)
            other.wait_for_function("document.title === 'done'")
            self.assertEqual([each for each in other.evaluate("got") if each], [], origin)
        # rebinding: the name of the attacker now is this machine, with the port of the worker
        other.goto(f"http://evil.example:{port}/")
        self.assertIn("answers to no other name", other.content())
        self.assertEqual(other.evaluate("fetch('/api/status').then((answer) => answer.status)"), 403)
        after = owner.status()
        for key in ("state", "holds", "stopping", "work_until"):
            self.assertEqual(after[key], before[key])
        for headers in self.requests:
            self.assertNotIn(session, str(headers))
        self.assertEqual([cookie for cookie in page.context.cookies() if cookie], [])
        self.assertNotIn(session, page.url + page.evaluate("String(history.length) + document.referrer"))
