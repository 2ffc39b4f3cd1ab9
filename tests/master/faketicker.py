"""A guard of clocks that looks when a test says so."""


class FakeTicker:
    """What `Roster.tickerFactory` makes here: it ticks when the test says so, and no thread runs."""

    def __init__(self, reactor, interval, look, jumped):
        self.reactor = reactor
        self.interval = interval
        self.look = look
        self.jumped = jumped
        self.running = False

    def tick(self, set_by=None):
        """It looks; the clock has been set by so many seconds since it did last, or by all that it shows but the interval."""
        now = self.reactor.seconds()
        passed, self.before = now - self.before - (set_by or 0.0), now
        if self.look(self.interval if set_by is None else passed):
            self.jumped()

    def hasJumped(self):
        """Sees nothing: the tests set the clock where others let time pass."""
        return False

    def start(self):
        self.running = True
        self.before = self.reactor.seconds()

    def stop(self):
        self.running = False
