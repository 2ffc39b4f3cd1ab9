import os
import re
from importlib.metadata import entry_points, version
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase
from twisted.web.test.requesthelper import DummyRequest

from presence.master import www
from presence.words.pages import pageModules


class PluginTests(SynchronousTestCase):
    def setUp(self):
        self.static = Path(str(www.ep.static_dir)).resolve()
        self.files = {
            path.relative_to(self.static).as_posix(): path.read_text()
            for path in self.static.rglob("*")
            if path.is_file()
        }

    def test_announced(self):
        """Buildbot finds the page among the plugins of its UI, in the version that is installed."""
        (found,) = (each for each in entry_points(group="buildbot.www") if each.name == "presence")
        self.assertIs(found.load(), www.ep)
        self.assertEqual(www.ep.version, version("buildbot-presence"))
        self.assertLessEqual({"scripts.js", "styles.css"}, set(self.files))

    def test_importsAreThere(self):
        """Every module that another one imports is there, and every one of this page is imported. (Of those that it shares
        the other page may have some to itself.) What knows of the farm imports none of the views.
        """
        imported = set()
        for file, text in self.files.items():
            for name in re.findall(r'(?:from|import) "(\..+?)"', text):
                path = (self.static / file).parent / name
                imported.add(Path(os.path.normpath(path)).relative_to(self.static).as_posix())
                self.assertFalse(file.startswith("farm/") and "views/" in name, f"{file} imports {name}")
        imported.update(re.findall(r'new URL\("(.+?\.js)", here\)', self.files["scripts.js"]))
        there = {name for name in self.files if name.endswith(".js")}
        self.assertEqual(imported - there - pageModules().keys(), set())
        self.assertEqual(there - imported, {"scripts.js"})

    def test_strip(self):
        """Where the script in all of Buildbot's pages looks for the strip, the strip has something to say, and nowhere else."""
        (looked,) = re.findall(r"const HAVE_A_STRIP = /(.+)/;", self.files["scripts.js"])
        said = re.findall(r"^    /(\^.+\$)/,$", self.files["farm/subjects.js"], re.MULTILINE)
        self.assertEqual(len(said), 5)
        for page in ("buildrequests", "builders", "workers", "pendingbuildrequests", "builds", "presence"):
            for path in (f"/{page}", f"/{page}/", f"/{page}/1", f"/{page}/12/", f"/{page}/1/x", f"/{page}/x"):
                has = any(re.search(each, path) for each in said)
                self.assertEqual(bool(re.search(looked, path)), has, path)

    def test_alwaysFresh(self):
        """Browsers ask each time whether a file has changed: the modules of two versions do not fit together."""
        self.assertEqual(set(www.SHARED), set(pageModules()))
        for name, content in (("page.js", self.files["page.js"].encode()), *pageModules().items()):
            request = DummyRequest([])
            body = www.ep.resource.getChildWithDefault(name.encode(), request).render(request)
            # a resource of Twisted's returns what it has to say, or has written it
            self.assertEqual(b"".join(request.written) or body, content)
            self.assertEqual(request.responseHeaders.getRawHeaders("Cache-Control"), ["no-cache"])
            self.assertIn("javascript", request.responseHeaders.getRawHeaders("Content-Type")[0])
