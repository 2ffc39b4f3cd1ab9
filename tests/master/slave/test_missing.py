from tests.master.fakemaster import DAY, HOUR, MasterTestCase


class MissingAlarmTests(MasterTestCase):
    """Nobody is missing while he is on his break; afterwards, as with Buildbot's own worker."""

    def missing(self):
        return [call for call in self.reactor.getDelayedCalls() if "_missing_timer_fired" in str(call)]

    def recordMissing(self):
        mails = []
        self.patch(self.master.data.updates, "workerMissing", lambda **kwargs: mails.append(self.hour()))
        return mails

    def test_missing(self):
        """Away without a break: the mail comes after `missing_timeout`, once."""
        self.startMaster([self.slave("mac-mini", notify_on_missing="me@example.org", missing_timeout=HOUR)])
        mails = self.recordMissing()
        self.disconnect("mac-mini")
        self.pass_(DAY)
        self.assertEqual([round(mail, 2) for mail in mails], [7])

    def startOnBreak(self, hour=6, **kwargs):
        self.setClock(hour)
        options = {"notify_on_missing": "me@example.org", "missing_timeout": 2 * HOUR, "timezone": "UTC"}
        self.startMaster([self.slave("mac-mini", onBreakDuring=("07:00", "19:00"), **options, **kwargs)])
        return self.recordMissing()

    def test_missingDuringABreak(self):
        """Who goes during a break is missing only when he is not back `missing_timeout` after its end."""
        mails = self.startOnBreak()
        self.passUntil(self.at(8))
        self.disconnect("mac-mini")
        self.passUntil(self.at(19))
        self.assertEqual(len(self.missing()), 1)
        self.pass_(DAY)
        self.assertEqual([round(mail, 2) for mail in mails], [21])

    def test_missingFromBeforeABreak(self):
        """Who goes just before a break has all his time again at its end."""
        mails = self.startOnBreak()
        self.disconnect("mac-mini")
        self.passUntil(self.at(7))
        self.assertEqual(self.missing(), [])
        self.pass_(DAY)
        self.assertEqual([round(mail, 2) for mail in mails], [21])

    def test_backInTime(self):
        """Who is back before the end of the break is not missing after it."""
        mails = self.startOnBreak()
        self.passUntil(self.at(8))
        self.disconnect("mac-mini")
        self.passUntil(self.at(18))
        self.connect("mac-mini")
        self.pass_(DAY)
        self.assertEqual(mails, [])

    def test_missingAlready(self):
        """Who is missing already when his break begins is not announced again after it."""
        mails = self.startOnBreak(4)
        self.disconnect("mac-mini")
        self.pass_(DAY)
        self.assertEqual([round(mail, 2) for mail in mails], [6])

    def test_startedDuringABreak(self):
        """A worker that never came, and a master that starts during its break: likewise."""
        self.setClock(8)
        options = {"notify_on_missing": "me@example.org", "missing_timeout": 2 * HOUR, "timezone": "UTC"}
        self.startMaster([self.slave("mac-mini", onBreakDuring=("07:00", "19:00"), **options)], connect=False)
        mails = self.recordMissing()
        self.pass_(DAY)
        self.assertEqual([round(mail, 2) for mail in mails], [21])

    def test_reconfigOfTheTimeout(self):
        """A `missing_timeout` that is changed during a break counts from its end."""
        self.startOnBreak()
        self.passUntil(self.at(8))
        self.disconnect("mac-mini")
        mails = self.recordMissing()
        options = {"notify_on_missing": "me@example.org", "missing_timeout": HOUR, "timezone": "UTC"}
        self.reconfig([self.slave("mac-mini", onBreakDuring=("07:00", "19:00"), **options)])
        self.assertEqual(self.missing(), [])
        self.pass_(DAY)
        self.assertEqual([round(mail, 2) for mail in mails], [20])
