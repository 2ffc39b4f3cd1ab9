from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent

setup(
    name="buildbot-presence",
    # Buildbot's UI wants it in a file
    version=(HERE / "presence/master/www/VERSION").read_text(encoding="utf-8").strip(),
    description="A presence for every Buildbot worker: available, or not accepting new builds",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    author="The presence developers",
    packages=find_packages(include=["presence", "presence.*"]),
    package_data={
        "presence": ["py.typed"],
        "presence.master.www": ["VERSION", "static/*"],
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
        # breaks from iCalendar files
        "calendar": ["icalendar>=6", "recurring-ical-events>=3.3"],
        "test": [
            "icalendar>=6",
            "recurring-ical-events>=3.3",
            "holidays>=0.40",
            "hypothesis>=6.100",
            "buildbot[bundle]>=4.2,<5",
            "buildbot-worker>=4.2,<5",
            # drives Debian's chromium; it needs no browser of its own
            "playwright>=1.40",
        ],
        "bench": ["pyperf>=2.6", "buildbot>=4.2,<5"],
        "lint": ["ruff", "mypy", "mypy-zope", "types-python-dateutil", "icalendar>=6"],
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
        ],
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Plugins",
        "Framework :: Twisted",
        "Intended Audience :: Developers",
        "Intended Audience :: System Administrators",
        "License :: OSI Approved :: MIT License",
        "Programming Language :: Python :: 3",
        "Topic :: Software Development :: Build Tools",
    ],
)
