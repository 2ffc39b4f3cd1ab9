import sys
import zoneinfo
from datetime import datetime, timedelta, timezone, tzinfo
from functools import cache
from importlib import resources
from pathlib import Path
from unittest.mock import patch
from zoneinfo import TZPATH, ZoneInfo, available_timezones

from dateutil import tz as dateutil_tz
from twisted.trial.unittest import SynchronousTestCase

from presence.calendar import zones
from presence.calendar.windowszones import WINDOWS_ZONES
from presence.calendar.zones import canonicalZone, localZone, localZoneWarning, zoneFor, zoneName, zoneWarning

UTC = timezone.utc

# they are looked for on the disk each time
KNOWN_ZONES = cache(available_timezones)


class CanonicalZoneTests(SynchronousTestCase):
    def setUp(self):
        self.patch(zones, "available_timezones", KNOWN_ZONES)

    def test_name(self):
        """A name that zoneinfo knows is itself."""
        for name in ("Europe/Berlin", "UTC", "EST5EDT", "Etc/GMT-3"):
            self.assertEqual(canonicalZone(name), name)

    def test_unknownName(self):
        """An unknown name is a mistake; where one is close, it is suggested."""
        for name in ("Mars/Olympus", "", "Europe", "../UTC", "/etc/localtime", "a\0b", "Europe/Berlin "):
            self.assertIn(repr(name), str(self.assertRaises(ValueError, canonicalZone, name)))
        for name in ("europe/berlin", "Europe/Berln", "Europe/Berlin "):
            self.assertIn("'Europe/Berlin'?", str(self.assertRaises(ValueError, canonicalZone, name)))

    def test_posixString(self):
        """A POSIX string is a mistake, which dateutil would take."""
        for name in ("ABC5", "UTC+3", "CET-1CEST", "CET-1CEST,M3.5.0,M10.5.0/3", "+02:00"):
            self.assertIn("IANA", str(self.assertRaises(ValueError, canonicalZone, name)))

    def hint(self, name):
        return str(self.assertRaises(ValueError, canonicalZone, name)).partition("knows: ")[2]

    def test_places(self):
        """A place, a name of Windows', and a name that is hardly mistyped find the zone that is meant."""
        for name, zone in {
            "New York": "America/New_York",
            "los angeles": "America/Los_Angeles",
            "Berlin": "Europe/Berlin",
            "Munich": "Europe/Berlin",
            "W. Europe Standard Time": "Europe/Berlin",
            "Pacific Daylight Time": "America/Los_Angeles",
            "Central Standard Time (Mexico)": "America/Mexico_City",
            "America/NewYork": "America/New_York",
            "utc": "UTC",
        }.items():
            self.assertEqual(self.hint(name), f"did you mean {zone!r}?")
        self.assertIn(self.hint("Kyiv"), {"did you mean 'Europe/Kyiv'?", "did you mean 'Europe/Kiev'?"})

    def test_noWrongHint(self):
        """What may mean several zones, or none, has no hint but how a zone is written."""
        for name in ("JST", "PST", "CEST", "IST", "BST", "cest"):
            self.assertIn("abbreviations", self.hint(name))
            self.assertNotIn("did you mean", self.hint(name))
        for name in ("Mars/Olympus", "Eastern", "Etc/GMT+15", "Atlantis", "Berlin Time", "Etc/GMT-15"):
            self.assertNotIn("did you mean", self.hint(name), name)

    def test_windows(self):
        """All zones of Windows' table are there."""
        for name in sorted(set(WINDOWS_ZONES.values())):
            self.assertEqual(canonicalZone(name), name)

    def test_noDatabase(self):
        """Where there are no zones at all that is said; UTC is there all the same."""
        self.patch(zones, "available_timezones", available_timezones)
        self.addCleanup(zoneinfo.reset_tzpath)
        zoneinfo.reset_tzpath([])
        # the package of zones, and what of it somebody has loaded before
        loaded = {name for name in {"tzdata", *sys.modules} if name.split(".")[0] == "tzdata"}
        unloaded = patch.dict(sys.modules, dict.fromkeys(loaded))
        unloaded.start()
        self.addCleanup(unloaded.stop)
        self.addCleanup(ZoneInfo.clear_cache)
        ZoneInfo.clear_cache()
        self.assertIn("pip install tzdata", self.hint("Europe/Berlin"))
        self.assertEqual(canonicalZone("UTC"), "UTC")
        self.assertEqual(zoneFor("UTC").utcoffset(datetime(2026, 7, 1)), timedelta(0))

    def test_filesThatAreNoZones(self):
        """Copies and clocks with leap seconds, which lie beside the zones of some hosts, are no names."""
        for name in ("localtime", "posixrules", "Factory", "posix/Europe/Berlin", "right/Europe/Berlin"):
            self.assertRaises(ValueError, canonicalZone, name)

    def test_namedTzinfo(self):
        """A tzinfo which has a name is told by it, whoever made it."""
        for zone in (
            ZoneInfo("Europe/Berlin"),
            ZoneInfo.no_cache("Europe/Berlin"),
            dateutil_tz.gettz("Europe/Berlin"),
            PytzLike("Europe/Berlin"),
        ):
            self.assertEqual(canonicalZone(zone), "Europe/Berlin")
        for zone in (timezone.utc, timezone(timedelta(0)), dateutil_tz.UTC, dateutil_tz.tzoffset(None, 0)):
            self.assertEqual(canonicalZone(zone), "UTC")

    def test_fixedOffset(self):
        """A fixed offset is a `datetime.timezone`."""
        expected = timezone(timedelta(hours=2))
        for zone in (timezone(timedelta(hours=2), "X"), dateutil_tz.tzoffset("X", 7200)):
            self.assertEqual(canonicalZone(zone), expected)

    def test_otherTzinfo(self):
        """A tzinfo without a name stays itself, if it knows its offset."""
        zone = dateutil_tz.tzstr("CET-1CEST")
        self.assertIs(canonicalZone(zone), zone)
        for nothing in (tzinfo(), NoOffset()):
            self.assertIn("offset", str(self.assertRaises(ValueError, canonicalZone, nothing)))

    def test_nothingElse(self):
        """What is neither a name nor a tzinfo is a mistake."""
        for value in (5, b"UTC", timedelta(hours=1), None):
            self.assertRaises(ValueError, canonicalZone, value)


class WarningTests(SynchronousTestCase):
    def setUp(self):
        self.patch(zones, "available_timezones", KNOWN_ZONES)

    def test_abbreviationsThatAreZones(self):
        """A zone that is named like a place's winter time, and one with a sign, are explained."""
        self.assertIn("'America/New_York'", zoneWarning("EST"))
        self.assertIn("'America/Denver'", zoneWarning("MST"))
        self.assertIn("3 hours ahead of UTC", zoneWarning("Etc/GMT-3"))
        self.assertIn("3 hours behind UTC", zoneWarning("Etc/GMT+3"))
        for zone in ("Europe/Berlin", "UTC", "CET", "EST5EDT", timezone(timedelta(hours=1))):
            self.assertIsNone(zoneWarning(zone))

    def test_variable(self):
        """A TZ that names nothing is told; one that the C library can read is not."""
        self.assertIn("'Mars/Olympus'", localZoneWarning({"TZ": "Mars/Olympus"}))
        self.assertIn("names no time zone", localZoneWarning({"TZ": "JST"}))
        self.assertIn("/no/such/file", localZoneWarning({"TZ": "/no/such/file"}))
        for value in ("", "UTC", ":Europe/Berlin", "CET-1CEST", "EST5EDT,M3.2.0,M11.1.0", "<+03>-3"):
            self.assertIsNone(localZoneWarning({"TZ": value}), value)
        self.assertIsNone(localZoneWarning({}))


class ZoneForTests(SynchronousTestCase):
    def test_named(self):
        """A name is that zone."""
        self.assertIs(zoneFor("Europe/Berlin"), ZoneInfo("Europe/Berlin"))

    def test_plain(self):
        """What keeps PEP 495 is used as it is."""
        for zone in (timezone(timedelta(hours=2)), ZoneInfo("UTC")):
            self.assertIs(zoneFor(zone), zone)

    def test_keepsPep495(self):
        """Any other zone is made to: the same as zoneinfo's, in gaps and in repeated hours too."""
        rules = zoneFor(dateutil_tz.tzstr("CET-1CEST,M3.5.0/2,M10.5.0/3", posix_offset=True))
        berlin = ZoneInfo("Europe/Berlin")
        for day in (datetime(2026, 3, 29), datetime(2026, 10, 25), datetime(2026, 7, 1)):
            for minutes in range(0, 24 * 60, 60):
                for fold in (0, 1):
                    wall = (day + timedelta(minutes=minutes)).replace(fold=fold)
                    self.assertEqual(rules.utcoffset(wall), berlin.utcoffset(wall), wall)

    def test_isAZone(self):
        """Such a zone can be converted to, and has names for its times."""
        rules = zoneFor(dateutil_tz.tzstr("CET-1CEST,M3.5.0/2,M10.5.0/3", posix_offset=True))
        local = datetime(2026, 7, 1, 10, tzinfo=UTC).astimezone(rules)
        self.assertEqual((local.hour, local.tzname(), local.dst()), (12, "CEST", timedelta(hours=1)))
        self.assertIsNone(rules.utcoffset(None))


class ZoneNameTests(SynchronousTestCase):
    def test_names(self):
        """A zone is called by its IANA name, or its offset; one that has neither is some local time."""
        for zone, name in (
            ("Europe/Berlin", "Europe/Berlin"),
            (ZoneInfo("Asia/Tokyo"), "Asia/Tokyo"),
            (timezone(timedelta(hours=2)), "UTC+02:00"),
            (timezone.utc, "UTC"),
            (dateutil_tz.tzlocal(), "local time"),
        ):
            self.assertEqual(zoneName(canonicalZone(zone)), name)


class LocalZoneTests(SynchronousTestCase):
    def setUp(self):
        self.folder = Path(self.mktemp()).resolve()
        self.nothing = self.folder / "nothing"
        place = self.folder / "zoneinfo" / "Europe"
        place.mkdir(parents=True)
        self.berlin = place / "Berlin"
        self.berlin.write_bytes(tzif("Europe/Berlin"))

    def test_variable(self):
        """TZ says which zone it is, with or without the colon of POSIX."""
        self.assertEqual(localZone({"TZ": "Asia/Tokyo"}, self.berlin), "Asia/Tokyo")
        self.assertEqual(localZone({"TZ": ":Asia/Tokyo"}, self.berlin), "Asia/Tokyo")

    def test_emptyVariable(self):
        """A TZ that is empty is UTC, as it is for the C library."""
        self.assertEqual(localZone({"TZ": ""}, self.berlin), "UTC")

    def test_posixVariable(self):
        """A POSIX string in TZ is left to the C library."""
        self.assertIsInstance(localZone({"TZ": "ABC5"}, self.berlin), dateutil_tz.tzlocal)

    def test_pathInVariable(self):
        """TZ may be the path of a zone file."""
        self.assertEqual(localZone({"TZ": str(self.berlin)}, self.nothing), "Europe/Berlin")
        self.assertIsInstance(localZone({"TZ": str(self.nothing)}, self.berlin), dateutil_tz.tzlocal)

    def test_link(self):
        """Without TZ it is the zone which /etc/localtime is a link to, by its name."""
        link = self.folder / "localtime"
        link.symlink_to(self.berlin.resolve())
        self.assertEqual(localZone({}, link), "Europe/Berlin")

    def test_copy(self):
        """Where /etc/localtime is a copy it has no name, but all its rules; and it equals itself."""
        copy = self.folder / "localtime"
        copy.write_bytes(tzif("Europe/Berlin"))
        zone = localZone({}, copy)
        self.assertEqual(zone.utcoffset(datetime(2026, 7, 1)), timedelta(hours=2))
        self.assertEqual(zone.utcoffset(datetime(1985, 12, 1)), timedelta(hours=1))
        self.assertEqual(zone, localZone({}, copy))

    def test_nothingKnown(self):
        """Where there is neither (Windows), or the file is no zone, it is what the C library says."""
        self.assertIsInstance(localZone({}, self.nothing), dateutil_tz.tzlocal)
        self.nothing.write_text("no zone")
        self.assertIsInstance(localZone({}, self.nothing), dateutil_tz.tzlocal)

    def test_thisHost(self):
        """There is a zone on any host."""
        zone = localZone()
        self.assertEqual(canonicalZone(zone), zone)


def tzif(name):
    """The compiled zone file of `name`, from the host or from the package tzdata."""
    for folder in TZPATH:
        if (path := Path(folder) / name).is_file():
            return path.read_bytes()
    return resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()


class PytzLike(tzinfo):
    """What pytz's zones are like: right as `zone`, wrong as a tzinfo."""

    def __init__(self, zone):
        self.zone = zone

    def utcoffset(self, dt):
        return timedelta(minutes=53)


class NoOffset(tzinfo):
    def utcoffset(self, dt):
        return None
