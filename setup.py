import os
import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent

# Where this repository is published, for whoever publishes it: the links of the package index lead there.
REPOSITORY = os.environ.get("PRESENCE_REPOSITORY", "").rstrip("/")


def readme() -> str:
    """README.md for a package index, which knows no other file of this repository: its links and pictures become those of
    the published repository. Without one its links become words, and the pictures are left out.
    """
    text = (HERE / "README.md").read_text(encoding="utf-8")
    pictures, links = r"!\[([^]]*)\]\((?!https?:)([^)]*)\)", r"(?<!!)\[([^]]*)\]\((?!https?:|#)([^)]*)\)"
    if REPOSITORY:
        text = re.sub(pictures, rf"![\1]({REPOSITORY}/raw/HEAD/\2)", text)
        return re.sub(links, rf"[\1]({REPOSITORY}/blob/HEAD/\2)", text)
    return re.sub(links, r"\1", re.sub(pictures, "", text))


setup(
    name="buildbot-presence",
    # Buildbot's UI wants it in a file
    version=(HERE / "presence/master/www/VERSION").read_text(encoding="utf-8").strip(),
    description="A presence for every Buildbot worker: available, or not accepting new builds",
    long_description=readme(),
    long_description_content_type="text/markdown",
    license_expression="MIT",
    license_files=["LICENSE"],
    url=REPOSITORY or None,
    project_urls={"Buildbot": "https://buildbot.net"}
    | (
        {"Changelog": f"{REPOSITORY}/blob/HEAD/CHANGELOG.md", "Issues": f"{REPOSITORY}/issues"}
        if REPOSITORY
        else {}
    ),
    author="The presence developers",
    packages=find_packages(include=["presence", "presence.*"]),
    package_data={
        "presence": ["py.typed"],
        "presence.master.www": ["VERSION", "static/*", "static/*/*"],
        "presence.worker.local": ["page/*"],
        "presence.words": ["*.js"],
    },
    python_requires=">=3.10",
    install_requires=[
        "twisted>=22.4",
        "zope.interface>=5.0",
        "python-dateutil>=2.8.2",
        # zoneinfo has no zones of its own on Windows
        'tzdata; platform_system == "Windows"',
    ],
    extras_require={
        "master": ["buildbot>=4.2,<5"],
        "worker": ["buildbot-worker>=3.11,<5"],
        # what sensors ask: logind over D-Bus; on macOS and Windows processes and batteries
        "sensors": ['jeepney>=0.8; platform_system == "Linux"', 'psutil>=5.9; platform_system != "Linux"'],
        # numbers for Prometheus
        "metrics": ["prometheus_client>=0.20"],
        # breaks from iCalendar files
        "calendar": ["icalendar>=6", "recurring-ical-events>=3.3"],
        "test": [
            "icalendar>=6",
            "recurring-ical-events>=3.3",
            "holidays>=0.40",
            "hypothesis>=6.100",
            "prometheus_client>=0.20",
            # the mail server that receives what reporters send
            "aiosmtpd>=1.4",
            "shtab>=1.6",
            "jeepney>=0.8",
            "psutil>=5.9",
            "buildbot[bundle]>=4.2,<5",
            "buildbot-worker>=4.2,<5",
            # Buildbot's logins at GitHub and the like need it
            "requests>=2.25",
            # drives Debian's chromium; it needs no browser of its own
            "playwright>=1.40",
            # the databases that are stopped and started
            "psycopg2-binary>=2.9",
            "pymysql>=1.1",
        ],
        # presence completion bash|zsh|tcsh
        "completion": ["shtab>=1.6"],
        "man": ["argparse-manpage>=4"],
        "lint": [
            "ruff",
            "mypy",
            "mypy-zope",
            "prometheus_client>=0.20",
            "types-python-dateutil",
            "icalendar>=6",
        ],
        "docs": ["sphinx>=7", "furo", "myst-parser", "buildbot>=4.2,<5"],
    },
    entry_points={
        "console_scripts": ["presence = presence.commands.main:main"],
        "buildbot.worker": ["BuildSlave = presence.master.buildslave:BuildSlave"],
        "buildbot.www": ["presence = presence.master.www:ep"],
        "buildbot.util": [
            "PresenceEndpointMatcher = presence.master.authz:PresenceEndpointMatcher",
            "RolesFromWorkerOwner = presence.master.authz:RolesFromWorkerOwner",
            "ReconfigEndpointMatcher = presence.master.authz:ReconfigEndpointMatcher",
            "PresenceService = presence.master.service:PresenceService",
            "PresenceGenerator = presence.master.reporters.generator:PresenceGenerator",
            "PresenceMessageFormatter = presence.master.reporters.formatter:PresenceMessageFormatter",
        ],
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Plugins",
        "Framework :: Twisted",
        "Intended Audience :: Developers",
        "Intended Audience :: System Administrators",
        "Operating System :: MacOS",
        "Operating System :: Microsoft :: Windows",
        "Operating System :: POSIX",
        "Programming Language :: Python :: 3",
        *(f"Programming Language :: Python :: 3.{minor}" for minor in range(10, 15)),
        "Topic :: Software Development :: Build Tools",
        "Typing :: Typed",
    ],
)
