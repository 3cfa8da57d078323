# `make` lists the targets. Everything goes into .venv; ARGS are passed on: make run ARGS="--pods 3"
PYTHON ?= python3
BIN := .venv/bin
PINS := pyproject.toml constraints.txt
# Most tests wait for processes and timers; each worker has servers of its own. ARGS="-n 0" does without workers.
WORKERS := --numprocesses 3 --dist loadfile --no-loadscope-reorder
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# Set in many containers, where it saves a layer; here each of hundreds of pods would compile all of Laurel again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup run test bench load lint k8s audit
.DELETE_ON_ERROR:

help: ## lists the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup: .venv/.ready ## sets everything up, into .venv

run: setup ## sets up and runs Laurel until Ctrl-C: make run ARGS="--pods 3"
	@exec $(BIN)/laurel up $(ARGS)

test: .venv/.ready-test ## sets up and passes the tests: make test ARGS="-k settings"
	@exec $(BIN)/python -m pytest $(WORKERS) $(ARGS)

bench: .venv/.ready-bench ## measures this machine, 25 minutes: make bench ARGS="--quick" (needs wrk)
	@exec $(BIN)/python -m loadtests.bench $(ARGS)

load: .venv/.ready-load ## loads pods of its own for two minutes, with a verdict: make load ARGS="--shape spike"
	@exec $(BIN)/python -m loadtests.load $(ARGS)

lint: .venv/.ready-lint ## ruff, mypy and the rules of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

audit: .venv/.ready-audit ## known holes in the pinned versions (asks over the network)
	@.ci/audit

k8s: .venv/.ready-test ## renders and validates the manifests (needs kubectl or kustomize)
	@exec $(BIN)/python k8s/validate.py

.venv/.ready: $(PINS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Laurel needs Python 3.11 or newer; name one with make PYTHON=..." >&2; exit 1; }
	@test -x $(BIN)/python && $(BIN)/python -m pip --version >/dev/null 2>&1 || { rm -rf .venv && $(PYTHON) -m venv .venv; }
	@echo "Setting up .venv (the first time takes a minute)" >&2
	@$(PIP) --editable .
	@touch $@

.venv/.ready-%: .venv/.ready
	@$(PIP) --editable '.[$*]'
	@touch $@
