import configparser
import io
import os
import shutil
import subprocess
from contextlib import redirect_stdout
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from presence.commands.exits import DONE
from presence.commands.main import main
from presence.commands.owner import page
from presence.commands.owner.desktop import entry

PROGRAMS = Path("/opt/b/bin")
STRANGE = Path('/home/ann/my "50%" $HOME `x` \\ wörker')


def read(text):
    parser = configparser.RawConfigParser(strict=True)
    parser.optionxform = str
    parser.read_string(text)
    return parser


def words(value):
    """The words of a command line, as the Desktop Entry Specification says how they are read: first the string, then its quotes."""
    text, found, word, quoted, escaped = value.replace("\\\\", "\\"), [], "", False, False
    for character in text + " ":
        if escaped:
            word, escaped = word + character, False
        elif character == "\\" and quoted:
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif character == " " and not quoted:
            found.append(word.replace("%%", "%"))
            word = ""
        else:
            word += character
    return found


class EntryTests(SynchronousTestCase):
    def test_entry(self):
        """It opens the page as a window, and has away and back as its actions."""
        parser = read(entry(Path("/srv/mac-mini"), PROGRAMS))
        where = "--basedir /srv/mac-mini"
        self.assertEqual(parser["Desktop Entry"]["Exec"], f"/opt/b/bin/presence open --window {where}")
        actions = parser["Desktop Entry"]["Actions"].rstrip(";").split(";")
        said = [parser[f"Desktop Action {action}"]["Exec"] for action in actions]
        self.assertEqual(
            said, [f"/opt/b/bin/presence away --for 1h {where}", f"/opt/b/bin/presence back {where}"]
        )

    def test_strangeNames(self):
        """Names of any kind are the arguments that they are meant to be; what cannot be written is refused."""
        parser = read(entry(STRANGE, PROGRAMS))
        for section in parser.sections():
            self.assertEqual(words(parser[section]["Exec"])[-1], str(STRANGE))
        self.assertRaises(ValueError, entry, Path("/a\nExec=x"), PROGRAMS)

    def test_validated(self):
        """The desktop's own validator has nothing to say."""
        if shutil.which("desktop-file-validate") is None:
            self.skipTest("desktop-file-validate is not installed")
        for number, basedir in enumerate((Path("/srv/mac-mini"), STRANGE)):
            path = Path(self.mktemp()).with_name(f"entry-{number}.desktop")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(entry(basedir, PROGRAMS))
            done = subprocess.run(
                ["desktop-file-validate", str(path)], capture_output=True, text=True, check=False
            )
            self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_install(self):
        """It is written into the account's menu; again, it takes its own place."""
        basedir, home = Path(self.mktemp()), Path(self.mktemp()).absolute()
        basedir.mkdir()
        (basedir / "buildbot.tac").write_text("s = Worker(1)\ns.setServiceParent(application)\n")
        self.patch(os, "environ", {**os.environ, "HOME": str(home), "XDG_DATA_HOME": ""})
        for _ in range(2):
            with redirect_stdout(io.StringIO()) as out:
                self.assertEqual(main(["install", str(basedir), "--desktop"]), DONE)
            (path,) = (home / ".local/share/applications").iterdir()
            self.assertIn(str(path), out.getvalue())
        self.assertEqual(words(read(path.read_text())["Desktop Entry"]["Exec"])[-1], str(basedir.resolve()))


class WindowTests(SynchronousTestCase):
    def test_window(self):
        """A browser that can show a page as a window is started with the file that lets it in; without one it is a tab."""
        started, tabs = [], []
        self.patch(page.webbrowser, "open", lambda address: tabs.append(address) or True)
        self.patch(page, "_start", lambda command: started.append(command) or True)
        found = {"chromium": "/usr/bin/chromium"}
        self.patch(page.shutil, "which", found.get)
        page._show("file:///x/presence-open.html", window=True)
        self.assertEqual((started, tabs), ([["/usr/bin/chromium", "--app=file:///x/presence-open.html"]], []))
        found.clear()
        page._show("file:///x/presence-open.html", window=True)
        page._show("file:///y", window=False)
        self.assertEqual((len(started), tabs), (1, ["file:///x/presence-open.html", "file:///y"]))
