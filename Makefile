# Everything happens in .venv, which is made when it is needed. PYTHON may name another interpreter.
PYTHON ?= python3
BIN := .venv/bin
# most of the integration tests is waiting: one job more than there are cores
JOBS ?= 3

.PHONY: demo test search lint docs bench clean

demo: .venv/test
	$(BIN)/presence demo

test: .venv/test
	$(BIN)/python -m twisted.trial --jobs $(JOBS) --rterrors tests

# The property tests of the model, with many more cases and other ones each time.
SEARCHES := tests.calendar tests.breaks tests.wire.test_messages tests.orders.test_workers tests.orders.test_record tests.model.test_workerpresence tests.worker.local.test_fuzz
search: .venv/test
	PRESENCE_THOROUGH=1 $(BIN)/python -m twisted.trial --jobs 2 --rterrors $(SEARCHES)

lint: .venv/lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: .venv/docs
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html

# All benchmarks, and the tables in docs/performance.rst: half an hour. QUICK=1: a minute, and only shown.
bench: .venv/bench
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick)

clean:
	rm -rf .venv docs/_build _trial_temp* *.egg-info .mypy_cache .ruff_cache .hypothesis

# One stamp for each extra that is installed: again when setup.py, or the version, has changed.
.venv/%: setup.py presence/master/www/VERSION | .venv/bin/python
	$(BIN)/pip install --quiet --editable '.[$*]'
	touch $@

.venv/bin/python:
	$(PYTHON) -m venv .venv
