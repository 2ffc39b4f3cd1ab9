# Everything happens in .venv, which is made when it is needed. PYTHON may name another interpreter.
PYTHON ?= python3
BIN := .venv/bin
# most of the integration tests is waiting: one job more than there are cores
JOBS ?= 3

# hundreds of processes import the same modules: they are compiled once, whatever the environment says
export PYTHONDONTWRITEBYTECODE =

.PHONY: demo demo-masters floors test pages documented databases masters versions search torture lint lint-pages node-tools crossbar-tools docs man bench clean

demo: .venv/test
	$(BIN)/presence demo

# Two masters and one that only serves the UI, with a PostgreSQL and a Crossbar in a temporary directory; one of them is killed.
demo-masters: .venv/test crossbar-tools
	$(BIN)/presence demo --masters

# All that needs nothing but Python, and takes no minutes by itself.
PAGES := $(addprefix tests.integration.test_,accessible available browser ownerpage page pageorders pagereconfig pagestop pageviews \
    strip words)
DOCUMENTED := $(addprefix tests.integration.test_,demo pages)
ROOMS := $(patsubst tests/%/__init__.py,tests.%,$(wildcard tests/*/__init__.py))
TESTS := $(patsubst tests/%.py,tests.%,$(wildcard tests/test_*.py)) \
    $(filter-out tests.integration tests.databases tests.masters tests.versions,$(ROOMS)) \
    $(filter-out $(PAGES) $(DOCUMENTED),$(patsubst tests/integration/%.py,tests.integration.%,$(wildcard tests/integration/test_*.py)))
test: .venv/test
	$(BIN)/python -m twisted.trial --jobs $(JOBS) --rterrors $(TESTS)

# The laws of the ground and middle floors, which need no Buildbot and no search: at each save. `make test` has them, too.
FLOORS := $(addprefix tests.,calendar words breaks model wire orders test_files test_text)
floors: .venv/test
	$(BIN)/python -m twisted.trial $(FLOORS)

# The pages, of admins and of owners, in a real Chromium.
pages: .venv/test
	$(BIN)/python -m twisted.trial --jobs $(JOBS) --rterrors $(PAGES)

# What readers are told to type: every command of the documentation, at a real master, and the demo.
documented: .venv/test
	$(BIN)/python -m twisted.trial --jobs $(JOBS) --rterrors $(DOCUMENTED)

# Real PostgreSQL and MariaDB, which are stopped and started.
databases: .venv/test
	$(BIN)/python -m twisted.trial --jobs $(JOBS) --rterrors tests.databases

# Several masters of one farm, with a real PostgreSQL and a real Crossbar, which are stopped and started.
masters: .venv/test crossbar-tools
	$(BIN)/python -m twisted.trial --jobs $(JOBS) --rterrors tests.masters

# What every version of Buildbot must do, with the one that is installed here; noxfile.py has the others.
versions: .venv/test
	$(BIN)/python -m twisted.trial --jobs $(JOBS) --rterrors tests.versions

# The searches, with many more cases (RANDOMLY=1: other ones each time), and the simulated farms, many more of them.
SIMULATIONS := $(addprefix tests.master.,test_simulation quiesce.test_simulation holding.test_drainsimulation holding.test_floorsimulation \
    breaks.test_sparingsimulation starting.test_distribution starting.test_order farm.test_reconciliationsimulation)
search: .venv/test
	PRESENCE_THOROUGH=$(if $(RANDOMLY),random,1) $(BIN)/python -m twisted.trial --jobs 2 --rterrors tests.searches $(SIMULATIONS)

# A farm of real processes that is killed, stopped and ordered about, and an account of it; with DATABASE=postgresql, or mariadb,
# the database is crashed as well. Then with the last gate taken out, which has to be noticed.
SECONDS ?= 60
DATABASE ?= sqlite
torture: .venv/test
	$(BIN)/python -m tests.torture --seconds $(SECONDS) --database $(DATABASE)
	$(BIN)/python -m tests.torture --seconds 300 --mutant last-gate

lint: .venv/lint lint-pages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The scripts of the pages, by Biome.
lint-pages: node-tools
	@test ! -x .node/node_modules/.bin/biome || .node/node_modules/.bin/biome lint --error-on-warnings .

# What comes from npm: Biome, and axe-core for the tests of the pages. Where it cannot be had that is said, and nothing else.
NODE_TOOLS := @biomejs/biome@2.3.0 axe-core@4.10.3
node-tools:
	@test -f .node/stamp || { command -v npm > /dev/null && \
	    timeout 90 npm install --prefix .node --no-audit --no-fund --silent $(NODE_TOOLS) && touch .node/stamp; } || \
	    echo "SKIPPED: there is no npm here, or it has no $(NODE_TOOLS): the scripts of the pages are not linted, and axe-core does not look at them" >&2

# The router of several masters, in a virtual environment of its own: what it depends on is not what Buildbot depends on. Where it
# cannot be had that is said, and nothing else. (Compiling all of it takes longer than all the rest, and a part of it is used.)
CROSSBAR := crossbar==26.10.1
crossbar-tools:
	@test -x .crossbar/bin/crossbar || { rm -rf .crossbar && \
	    { $(PYTHON) -m venv .crossbar || $(PYTHON) -m virtualenv --quiet .crossbar; } && \
	    timeout 600 .crossbar/bin/pip install --quiet --no-compile $(CROSSBAR); } || \
	    echo "SKIPPED: $(CROSSBAR) cannot be installed here: nothing of what holds with several masters is tested" >&2

docs: .venv/docs
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html

# The manual page, from the parsers of the command line.
man: .venv/man
	mkdir -p build
	$(BIN)/argparse-manpage --module presence.commands.main --function makeWholeParser --prog presence \
	    --project-name presence --manual-section 1 --output build/presence.1

# All benchmarks, and the tables in docs/performance.rst: eighteen minutes. QUICK=1: a minute, and only shown. MONTH=1: only the month
# of breaks on a master, which takes as long again.
bench: .venv/test
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick) $(if $(MONTH),month)

clean:
	rm -rf .venv .node .crossbar docs/_build _trial_temp* *.egg-info .mypy_cache .ruff_cache .hypothesis

# One stamp for each extra that is installed: again when setup.py, or the version, has changed.
.venv/%: setup.py presence/master/www/VERSION | .venv/bin/pip
	$(BIN)/pip install --quiet --editable '.[$*]'
	touch $@

# It is there, whole, or not at all: a Python without ensurepip (Debian's, without python3-venv) leaves one that has no pip.
.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	    { echo "$(PYTHON) is missing, or older than 3.10: make PYTHON=python3.11, or whichever you have" >&2; exit 1; }
	@rm -rf .venv
	@$(PYTHON) -m venv .venv || $(PYTHON) -m virtualenv --quiet .venv || { rm -rf .venv; \
	    echo "$(PYTHON) can make no virtual environment. Debian, Ubuntu: apt-get install python3-venv;" \
	    "others: $(PYTHON) -m pip install --user virtualenv. Then do this again." >&2; exit 1; }
