"""What the page costs the browser: 500 workers and 1000 builders of a real master, in a real Chromium.

    python -m benchmarks.page            # prints the table of docs/page.rst
    python -m benchmarks.page --write    # and puts it there

Each of the builders has ten of the workers. The workers are not there, and held available all the same, so that what is
measured is the master and the page. "Painted" is the first frame after the change is in the document. Where there is
/dev/shm the master is there: to store 1000 new builders may take a minute on a disk.
"""

import os
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.pagereport import tell, text, write
from tests.integration.browser import Browser
from tests.integration.farm import Farm
from tests.integration.processes import DEADLINE

WORKERS, BUILDERS, PENDING = 500, 1000, 10_000
ROUNDS = 16

# What is to be reached, in milliseconds: the first rows; and two frames, of sixty a second.
FIRST, FRAMES = 800, 2000 / 60

MEMORY = Path("/dev/shm")

# Two breaks a day, none of which is now, nor in the coming hour, whenever this runs.
_HOUR = datetime.now(timezone.utc).hour
WORKER = (
    f'worker.BuildSlave("w{{number:03}}", PASSWORD, onBreakDuring=[Break("{(_HOUR + 2) % 24}:00", "{(_HOUR + 12) % 24}:00", tz="UTC"), '
    f'Break("{(_HOUR + 14) % 24}:00", "{(_HOUR + 15) % 24}:00", tz="UTC", reason="tests of the day")])'
)

EXTRA = f"""
import os
from buildbot.util.service import BuildbotService
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.python import log
from presence.master.roster import Roster

class Switch(BuildbotService):
    # everybody is there; and all go away, and come back, as a file does
    name = "switch"
    away = None

    async def startService(self):
        await super().startService()
        self.roster = await Roster.getService(self.master)
        self.loop = LoopingCall(self.look)
        self.loop.start(0.05)

    async def stopService(self):
        self.loop.stop()
        await super().stopService()

    async def ask(self):
        # requests by the thousand; and one more, of which Buildbot tells
        ids = [each._builderid for each in self.master.botmaster.getBuilders()]
        model = self.master.db.model
        def thd(connection):
            [number] = connection.execute(model.buildsets.insert(), [{{"submitted_at": 1, "complete": 0, "results": -1}}]).inserted_primary_key
            request = {{"buildsetid": number, "submitted_at": 1, "complete": 0, "results": -1, "waited_for": 0, "priority": 0}}
            connection.execute(model.buildrequests.insert(), [{{**request, "builderid": ids[each % len(ids)]}} for each in range({PENDING - 1})])
            connection.commit()
        await self.master.db.pool.do(thd)
        stamp = {{"codebase": "", "repository": "", "branch": None, "revision": None, "project": ""}}
        await self.master.data.updates.addBuildset(waited_for=False, builderids=ids[-1:], sourcestamps=[stamp])

    def look(self):
        wanted = os.path.join(self.master.basedir, "pending")
        if os.path.exists(wanted):
            os.unlink(wanted)
            Deferred.fromCoroutine(self.ask()).addErrback(log.err)
        away = os.path.exists(os.path.join(self.master.basedir, "away"))
        if away != self.away:
            self.away = away
            for presence in self.roster.workers.values():
                presence.release("offline")
                if away:
                    presence.hold("worker", reason="power cut", by="ann")
                else:
                    presence.release("worker")

c["www"]["plugins"] = {{"presence": {{}}}}
c["services"] = [Switch()]
names = [each.workername for each in c["workers"]]
c["builders"] = [
    util.BuilderConfig(name=f"b{{number:04}}", workernames=[names[(7 * number + each) % {WORKERS}] for each in range(10)],
                       factory=factory)
    for number in range({BUILDERS})
]
c["schedulers"] = [schedulers.Triggerable(name="all", builderNames=[each.name for each in c["builders"]])]
"""

# In every page: when the websocket says something, and how long the page was deaf at the most.
PROBES = """
window.heard = [];
window.WebSocket = class extends WebSocket {
    constructor(...all) {
        super(...all);
        this.addEventListener("message", ({data}) => data.includes('"k"') && heard.push(performance.now()));
    }
};
window.tasks = [];
new PerformanceObserver((list) => tasks.push(...list.getEntries().map((each) => each.duration))).observe({type: "longtask"});
window.painted = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(() => resolve(performance.now()))));
window.until = (test) => new Promise((resolve) => {
    const look = () => test() ? painted().then(resolve) : undefined;
    if (look()) return;
    const observer = new MutationObserver(() => test() && (observer.disconnect(), painted().then(resolve)));
    observer.observe(document, {subtree: true, childList: true, characterData: true, attributes: true});
});
window.rows = () => document.querySelectorAll(".presence tbody tr[data-worker], .presence tbody tr[data-builder]").length;
until(() => rows() > 0).then((at) => { window.first = at; });
"""

# Press something; after how many milliseconds is the change painted?
PRESS = """
async ([selector, text]) => {
    const element = [...document.querySelectorAll(selector)].find((each) => !text || each.innerText.startsWith(text));
    const before = performance.now();
    element.click();
    return await painted() - before;
}
"""

TYPE = """
async ([selector, text]) => {
    const field = document.querySelector(selector);
    const before = performance.now();
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, text);
    field.dispatchEvent(new Event("input", {bubbles: true}));
    return await painted() - before;
}
"""

# After how many milliseconds is it painted that the first row is (not) `state`, from the first event on?
FOLLOW = """
([name, state]) => {
    heard.length = tasks.length = 0;
    const row = () => document.querySelector(`tr[data-worker="${name}"], tr[data-builder="${name}"]`);
    const done = until(() => row()?.textContent.includes(state));
    const late = new Promise((_, reject) => setTimeout(() => reject(new Error(`${name} shows ${row()?.textContent}, not ${state}`)), 20000));
    window.followed = Promise.race([done, late]).then((at) => (
        {ms: at - heard[0], at: performance.timeOrigin + at, longest: Math.max(0, ...tasks)}
    ));
}
"""


class Case:
    """What a `Farm` and a `Browser` want of a test."""

    def __init__(self):
        self._cleanups = []

    def addCleanup(self, what, *arguments, **keywords):
        """Call this at the end."""
        self._cleanups.append((what, arguments, keywords))

    def cleanUp(self):
        """It is the end."""
        for what, arguments, keywords in reversed(self._cleanups):
            what(*arguments, **keywords)


class Bench:
    """A master with that many workers and builders, and its page. `database` is what SQLAlchemy connects to, if not a file."""

    def __init__(self, case, database=None):
        self.farm = Farm(case)
        extra = EXTRA if database is None else f'{EXTRA}\nc["db_url"] = {database!r}\n'
        self.farm.configure(*(WORKER.format(number=number) for number in range(WORKERS)), extra=extra)
        if database is not None:
            self.farm.upgradeDatabase()
        # (a disk takes its time to store a thousand builders)
        self.farm.start(deadline=10 * DEADLINE)
        self.browser = None
        self._case = case
        self.url = f"http://127.0.0.1:{self.farm.www}/"
        self.away = self.farm.master.directory / "away"
        # until the workers have come, and that has been announced
        self.farm.waitFor("all are available", lambda: self.ready() == WORKERS)

    def ready(self):
        """How many workers are available."""
        return len(self.farm.get("presences?state=AVAILABLE")["presences"])

    def open(self, view):
        """The page, when it shows something."""
        if self.browser is None:
            self.browser = Browser(self._case)
        page = self.browser.open()
        self.show(page, view)
        return page

    def show(self, page, view):
        """Let `page` show it."""
        page.add_init_script(PROBES)
        page.goto(f"{self.url}#/presence?view={view}")
        page.wait_for_function("window.first")

    def first_paint(self, view, when=""):
        """From the request of the first byte on, with nothing cached."""
        paints, rest = [], []
        for _ in range(5):
            page = self.open(view)
            paints.append(page.evaluate("first"))
            loaded = page.evaluate(
                "performance.getEntriesByType('resource').find((each) => each.name.endsWith('page.js')).startTime"
            )
            answers = page.evaluate(
                "performance.getEntriesByType('resource').filter((each) => each.name.includes('presences'))"
                ".map((each) => each.responseEnd - each.startTime)"
            )
            rest.append((paints[-1] - loaded, max(answers)))
            page.context.close()
        own, answer = (median(each) for each in zip(*rest, strict=True))
        more = f"{own:.0f} of them ours, {answer:.0f} for the master's answers"
        tell(f"{view}{when}: first rows painted", median(paints), more, FIRST)

    def press(self, page, what, presses, script=PRESS):
        """Something is pressed, or written, again and again."""
        times = [page.evaluate(script, presses[number % len(presses)]) for number in range(ROUNDS)]
        tell(what, median(times), f"at most {max(times):.0f}")

    def follow_one(self, page, what, name, states):
        """Somebody holds a worker, and releases it: both are followed."""
        times, whole, longest = [], [], 0
        for number in range(ROUNDS):
            action = ("hold", "release")[number % 2]
            page.evaluate(FOLLOW, [name, states[number % 2]])
            before = time.time()
            self.farm.post("presences/w000", action)
            followed = page.evaluate("followed")
            times.append(followed["ms"])
            whole.append(followed["at"] - 1000 * before)
            longest = max(longest, followed["longest"])
            time.sleep(0.15)
        tell(
            what,
            median(times),
            f"at most {max(times):.0f}; from the order on {median(whole):.0f}, at most {max(whole):.0f}",
            FRAMES,
        )

    def follow_all(self, page, what, name, states):
        """All of them flip in one turn."""
        times, longest = [], 0
        for number in range(6):
            page.evaluate(FOLLOW, [name, states[number % 2]])
            (self.away.unlink if number % 2 else self.away.touch)()
            followed = page.evaluate("followed")
            time.sleep(2)
            times.append(followed["ms"])
            longest = max(longest, page.evaluate("Math.max(0, ...tasks)"))
        tell(what, median(times), f"at most {max(times):.0f}; the page was deaf for at most {longest:.0f}")

    def workers(self):
        """The table of the workers."""
        self.first_paint("workers")
        page = self.open("workers")
        self.press(
            page, "workers: sort", [["th button", "State"], ["th button", "Next"], ["th button", "Worker"]]
        )
        self.press(
            page, "workers: a letter in the search", [["[type=search]", "w1"], ["[type=search]", "w"]], TYPE
        )
        page.evaluate(TYPE, ["[type=search]", ""])
        self.press(page, "workers: select all", [["thead [type=checkbox]", ""]])
        # by name: w000 stays where it is
        page.goto(f"{self.url}#/presence")
        page.locator("th.presence-name[aria-sort=ascending]").wait_for()
        page.locator('tr[data-worker="w000"]').wait_for()
        self.follow_one(page, "workers: one is held or released", "w000", ("held", "available"))
        self.follow_all(page, "workers: all go away, or come back", "w000", ("held", "available"))
        page.get_by_role("button", name="Show all").click()
        page.wait_for_function(f"rows() === {WORKERS}")
        self.follow_one(
            page,
            f"workers, all {WORKERS} rows: one is held or released",
            "w000",
            ("held", "available"),
        )
        self.follow_all(
            page,
            f"workers, all {WORKERS} rows: all go away, or come back",
            "w000",
            ("held", "available"),
        )
        page.context.close()

    def week(self):
        """The week."""
        self.first_paint("week")
        page = self.open("week")
        self.follow_one(page, "week: one is held or released", "w000", ("held", "available"))
        self.follow_all(page, "week: all go away, or come back", "w000", ("held", "available"))
        page.context.close()

    def builders(self):
        """The table of the builders."""
        self.first_paint("builders")
        page = self.open("builders")
        self.press(
            page,
            "builders: a letter in the search",
            [["[type=search]", "b01"], ["[type=search]", "b0"]],
            TYPE,
        )
        page.evaluate(TYPE, ["[type=search]", ""])
        page.locator('tr[data-builder="b0000"]').wait_for()
        self.follow_one(page, "builders: one worker is held or released", "b0000", ("9 of 10", "10 of 10"))
        self.follow_all(
            page, "builders: all workers go away, or come back", "b0000", ("not accepting", "available")
        )
        page.context.close()

    def pending(self):
        """The same with requests by the thousand that wait."""
        (self.farm.master.directory / "pending").touch()
        self.farm.waitFor("the requests wait", lambda: self.waiting() == PENDING)
        when = f", {PENDING} requests wait"
        self.first_paint("workers", when)
        self.first_paint("builders", when)
        page = self.open("builders")
        page.locator('tr[data-builder="b0000"]').wait_for()
        self.follow_one(
            page, f"builders{when}: one worker is held or released", "b0000", ("9 of 10", "10 of 10")
        )
        page.context.close()

    def waiting(self):
        """How many requests wait."""
        return sum(each["waiting"] for each in self.farm.get("builderpresences")["builderpresences"])

    def hold_all(self):
        """All are held."""
        page = self.open("workers")
        page.get_by_role("button", name=f"Select all {WORKERS} workers").click()
        page.get_by_role("button", name=f"Hold… {WORKERS} selected").click()
        before = time.time()
        page.get_by_role("dialog").get_by_role("button", name="Hold", exact=True).click()
        page.get_by_text(f"{WORKERS} workers are held").wait_for(timeout=1000 * DEADLINE)
        tell(f"all {WORKERS} are held from the dialog, one order for all", 1000 * (time.time() - before))


def inMemory():
    """From now on temporary files are in memory, where there is such a directory."""
    if MEMORY.is_dir():
        tempfile.tempdir = str(MEMORY)


def main():
    load = os.getloadavg()[0]
    inMemory()
    case = Case()
    try:
        bench = Bench(case)
        for each in (bench.workers, bench.week, bench.builders, bench.pending, bench.hold_all):
            each()
        for each in bench.browser.problems:
            print(each)
        browser = bench.browser.version
        print(f"\n{text(browser, load)}")
        if "--write" in sys.argv[1:]:
            write(browser, load)
    finally:
        case.cleanUp()


if __name__ == "__main__":
    main()
