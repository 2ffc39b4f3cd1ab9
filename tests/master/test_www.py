import re
from importlib.metadata import entry_points, version

from twisted.trial.unittest import SynchronousTestCase
from twisted.web.test.requesthelper import DummyRequest

from presence.master import www


class PluginTests(SynchronousTestCase):
    def setUp(self):
        self.files = {path.name: path.read_text() for path in www.ep.static_dir.iterdir()}

    def test_announced(self):
        """Buildbot finds the page among the plugins of its UI, in the version that is installed."""
        (found,) = (each for each in entry_points(group="buildbot.www") if each.name == "presence")
        self.assertIs(found.load(), www.ep)
        self.assertEqual(www.ep.version, version("buildbot-presence"))
        self.assertLessEqual({"scripts.js", "styles.css"}, set(self.files))

    def test_importsAreThere(self):
        """Every module of the page that another one imports is there, and every one is imported."""
        imported = {
            name for text in self.files.values() for name in re.findall(r'(?:from|import) "\./(.+?)"', text)
        }
        imported.update(re.findall(r'new URL\("(.+?\.js)", here\)', self.files["scripts.js"]))
        self.assertEqual(imported | {"scripts.js"}, {name for name in self.files if name.endswith(".js")})

    def test_alwaysFresh(self):
        """Browsers ask each time whether a file has changed: the modules of two versions do not fit together."""
        request = DummyRequest([b"page.js"])
        www.ep.resource.getChild("page.js", request).render(request)
        self.assertEqual(b"".join(request.written).decode(), self.files["page.js"])
        self.assertEqual(request.responseHeaders.getRawHeaders("Cache-Control"), ["no-cache"])
