# Everything here needs python3 (3.11 or newer, with venv), make, perl and g++; the rest comes from PyPI.

PYTHON := $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# The second simulator, Icarus Verilog, is not on PyPI: its tests run where the system has it.
# Each worker begins with half of the tests, so that what a module's tests share is mostly made once.
TESTS := $(BIN)/python -m pytest -n 2 --dist worksteal
QUICK := not slow
ALL := slow or not slow
ifeq ($(shell command -v iverilog),)
QUICK := $(QUICK) and not icarus
ALL := not icarus
endif

.PHONY: help demo check test test-full bench lint docs hooks clean
.NOTPARALLEL: # the targets share an environment, and the tests take both cores

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: $(VENV)/hwgen ## compile trained networks, simulate real data, show the result
	@$(BIN)/python -m examples.demo

check: lint docs test ## all that continuous integration runs: style, types, documentation, tests

test: $(VENV)/test ## the tests, in under 12 minutes on two cores
	$(TESTS) -m "$(QUICK)"

test-full: $(VENV)/test ## the same with hundreds of random networks
	$(TESTS) -m "$(ALL)"

bench: $(VENV)/test ## measure speed and hardware cost
	$(BIN)/python -m benchmarks

lint: $(VENV)/test ## style and types
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

docs: $(VENV)/docs ## the documentation, in docs/_build; a warning is an error
	LC_ALL=C.UTF-8 $(BIN)/python -m sphinx -W -q docs docs/_build

hooks: $(VENV)/hooks ## let git run the quick checks at each commit

clean: ## remove the environment and everything that the targets above wrote
	rm -rf $(VENV) demo build dist docs/_build docs/figures docs/rooms .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/hwgen: pyproject.toml | $(BIN)/python
	@echo "Installing hwgen and its tools from PyPI into $(VENV) ..."
	@$(PIP) install --quiet --editable .
	@touch $@

$(VENV)/test: pyproject.toml | $(BIN)/python
	@echo "Installing hwgen, its tools and its test tools from PyPI into $(VENV) ..."
	@$(PIP) install --quiet --editable ".[test]"
	@touch $@ $(VENV)/hwgen

$(VENV)/docs: pyproject.toml | $(BIN)/python
	@echo "Installing hwgen and the tools of its documentation from PyPI into $(VENV) ..."
	@$(PIP) install --quiet --editable ".[docs]"
	@touch $@

$(VENV)/hooks: pyproject.toml .pre-commit-config.yaml | $(VENV)/test
	@$(PIP) install --quiet --editable ".[hooks]"
	$(BIN)/python -m pre_commit install
	@touch $@
