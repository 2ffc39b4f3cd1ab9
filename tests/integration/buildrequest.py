"""A build that was requested of a real master, and what became of it."""

from pathlib import Path

SUCCESS, RETRY = 0, 5


class BuildRequest:
    """A build that was requested. `hold`, if any, is the file that its process waits for."""

    def __init__(self, farm, number, hold):
        self._farm = farm
        self.number = number
        self._hold = hold

    @property
    def builds(self):
        """Its builds, as in the API, and with two instants (seconds since the epoch) or None: `started` is
        when Buildbot began to start it, `began` when its process ran.
        """
        path = f"builds?buildrequestid={self.number}&property=started&property=began"
        builds = self._farm.get(path)["builds"]
        for build in builds:
            for name in ("started", "began"):
                value = build["properties"].get(name)
                build[name] = value and float(value[0])
            # (what says it is a process, which takes its time to start)
            build["limit"] = self._farm.moment if build["started"] else 3 * self._farm.moment
            build["started"] = build["started"] or build["began"]
        return builds

    @property
    def claimed(self):
        return self._farm.get(f"buildrequests/{self.number}")["buildrequests"][0]["claimed"]

    @property
    def complete(self):
        return self._farm.get(f"buildrequests/{self.number}")["buildrequests"][0]["complete"]

    def waitUntilRuns(self):
        runs = Path(f"{self._hold}.runs")
        self._farm.waitFor(f"the process of request {self.number} runs", runs.exists)
        return self

    def letFinish(self):
        self._hold.touch()
        return self

    def waitUntilBuilt(self):
        """Its only successful build, as in `builds`."""
        self._farm.waitFor(f"request {self.number} is complete", lambda: self.complete)
        built = [build for build in self.builds if build["results"] == SUCCESS]
        self._farm.case.assertEqual(len(built), 1, self.builds)
        return built[0]

    def assertStartsAtOnce(self, end):
        """Buildbot starts it in the moment after `end`, and its process has not run before."""
        build = self.waitUntilBuilt()
        for instant in ("started", "began"):
            self._farm.case.assertGreaterEqual(build[instant], end)
        self._farm.case.assertLess(build["started"] - end, build["limit"])
