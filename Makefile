# Sealroad. `make demo` and `make test` need Debian 12 (or like it) with python3 >= 3.11, python3-venv and make; nothing else.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help demo test test-all test-long lint format bench clean lock

help:
	@echo 'make demo      the whole story on this machine: upload, three signatures, verification'
	@echo 'make test      the test suite that needs no server and no extra packages'
	@echo 'make test-all  adds what needs the packages listed in tools/apt-packages.txt'
	@echo 'make test-long walks every point at which a service can die, and every table in every suite, for hours'
	@echo 'make lint      ruff, mypy --strict, import contracts'
	@echo 'make bench     benchmarks, as ratios to peers and to the raw-crypto floor'

$(VENV)/.runtime: requirements/runtime.txt pyproject.toml
	@echo 'setting up $(VENV) (once) ...'
	@$(PYTHON) -c 'import sys; sys.exit("sealroad needs python 3.11 or later, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --require-hashes -r requirements/runtime.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.conformance: requirements/conformance.txt $(VENV)/.dev
	@$(PIP) install --require-hashes -r requirements/conformance.txt
	@touch $@

demo: $(VENV)/.runtime
	@$(BIN)/sealroad demo --dir demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest -m 'not interop and not slow and not long' -n auto --dist worksteal

test-all: $(VENV)/.conformance lint
	@$(BIN)/python tools/check_packages.py
	@$(BIN)/python tools/conformance_data.py
	$(BIN)/python -m pytest -m '(interop or slow) and not long' -n auto --dist loadfile --no-loadscope-reorder

test-long: $(VENV)/.conformance
	SEALROAD_STEP=1 $(BIN)/python -m pytest -m long -n auto --dist worksteal
	SEALROAD_STEP=1 SEALROAD_BULK_ROWS=1000 SEALROAD_EXAMPLES=3 $(BIN)/python -m pytest -m 'slow and not long' tests/api -n auto --dist loadfile

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

lock:
	requirements/lock.sh

clean:
	rm -rf $(VENV) demo .work .pytest_cache .mypy_cache .ruff_cache
