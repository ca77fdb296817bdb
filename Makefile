# Everything needs Python 3.11 or newer and make; the rest is installed into .venv from pinned, hashed requirements.
PYTHON ?= python3
BIN := .venv/bin
RUN := .venv/.run
TEST := .venv/.test
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes

.PHONY: demo test setup check bench bench-growth bench-partners bench-routing faults explore up clean

demo: $(RUN)
	$(BIN)/crossdock demo $(DEMO)

up: $(RUN)
	$(BIN)/crossdock up

# Three at a time on two cores, since tests also wait. The processes that they start read what is compiled here,
# whatever the environment says of writing it.
test: $(TEST)
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m compileall -q -j 2 -x /tests/ hub adapters
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

setup: $(TEST)

check: $(TEST)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(TEST)
	$(BIN)/python -m tests.bench.run $(ARGS)

bench-growth: $(TEST)
	$(BIN)/python -m tests.bench.growth $(ARGS)

bench-partners: $(TEST)
	$(BIN)/python -m tests.bench.partners $(ARGS)

bench-routing: $(TEST)
	$(BIN)/python -m tests.bench.routing $(ARGS)

faults: $(TEST)
	$(BIN)/python -m tests.faults.run $(ARGS)

# Property tests with new examples; a failure prints how to replay it.
explore: $(TEST)
	$(BIN)/python -m pytest -n 2 --hypothesis-profile=default tests/unit tests/property adapters $(ARGS)

$(RUN): requirements/build.txt requirements/run.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "crossdock needs Python 3.11 or newer; try: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' || { echo "this Python has no venv module; install it (on Debian: apt install python3-venv)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) -r requirements/build.txt -r requirements/run.txt
	$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

$(TEST): $(RUN) requirements/test.txt
	$(PIP) -r requirements/test.txt
	@touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .hypothesis
