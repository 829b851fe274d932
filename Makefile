# make run     run the example solution; Ctrl-C stops it
# make test    run all tests
# make soak    try many more random cases of FEEL than the tests do (SOAK=100: times as many)
# make smoke   start the example on free ports and drive one claim through every box
# make lint    ruff, mypy, import-linter
# make compiled   compile the core of the engine with mypyc, and run its tests so (two minutes)
# make bench   measure every part (QUICK=1 for a minute each)

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOLUTION ?= examples/claims
SOAK ?= 100

.DEFAULT_GOAL := help
.PHONY: help run setup setup-dev test soak smoke lint compiled format bench wheel clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

run: setup
	@exec $(BIN)/towpath run $(SOLUTION)

setup:
	@$(PYTHON) scripts/setup.py demo

setup-dev:
	@$(PYTHON) scripts/setup.py demo dev --system

test: setup-dev
	@$(BIN)/python -m pytest $(ARGS)

soak: setup-dev
	@TOWPATH_SOAK=$(SOAK) $(BIN)/python -m pytest tests/feel/test_fuzz.py tests/feel/test_laws.py tests/feel/test_printing.py \
	  --timeout=0 $(ARGS)

smoke: setup
	@exec $(BIN)/python examples/claims/smoke.py

lint: setup-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

compiled: setup-dev
	@$(BIN)/python scripts/compiled.py $(ARGS)

format: setup-dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup-dev
	@for part in $$(ls bench/*.py | xargs -n1 basename | sed 's/\.py$$//' | grep -v '^_'); do \
	  $(BIN)/python -m bench.$$part $(if $(QUICK),--quick) || exit 1; done

wheel: setup
	@$(BIN)/python -m pip wheel --no-deps --wheel-dir dist .

clean:
	rm -rf $(VENV) build dist src/towpath/web/static web/node_modules
