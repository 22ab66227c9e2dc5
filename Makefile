# Two commands do everything: `make demo` and `make test`. Both set up .venv first, once for each pyproject.toml.

PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready-$(firstword $(shell cksum pyproject.toml))

.PHONY: demo test chaos bench lint docs venv

demo: $(READY)
	@$(VENV)/bin/reporter demo

test: $(READY)
	@$(VENV)/bin/python -Im pytest -q -n logical --maxprocesses 8

# Every two faults with two workers, long random schedules, and hundreds of submissions through real processes.
chaos: $(READY)
	@$(VENV)/bin/python -Im pytest -q -s -n logical --maxprocesses 8 -m chaos

bench: $(READY)
	@$(VENV)/bin/python -Im pytest -q -s tests/benchmarks

lint: $(READY)
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/ruff format --check
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports

docs: $(READY)
	@$(VENV)/bin/python tests/docs/cli_reference.py
	@$(VENV)/bin/python tests/docs/roles_table.py
	@$(VENV)/bin/python tests/docs/fault_matrix.py
	@$(VENV)/bin/python tests/docs/handoff_pages.py

venv: $(READY)

$(READY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Reporter needs Python 3.11 or newer. Name it: make PYTHON=python3.12 …' >&2; exit 1; }
	@echo 'Setting up $(VENV) …' >&2
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
	@$(VENV)/bin/python -m pip install --quiet --group dev --editable '.[postgres]'
	@rm -f $(VENV)/.ready-*
	@touch $@
