# Every target sets up what it needs; a fresh machine needs Python 3.11 to 3.13, pip and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
UV_VERSION := 0.13.8
SECONDS_PER_TEST := 300

.PHONY: help setup reproduce test test-faults test-slow test-kills test-failing-calls test-fuzz lint format bench lock clean

help:
	@echo 'make reproduce  set up, run the study r2rt_part1, print the path of its report'
	@echo 'make test       set up, run the tests (make test-faults: killed, starved and'
	@echo '                interrupted sweeps; make test-slow: the longer tests)'
	@echo 'make test-kills test-failing-calls test-fuzz'
	@echo '                1,000 SIGKILLs; every write, rename and fsync that fails;'
	@echo '                20,000 mutated inputs: each prints its counts (hours)'
	@echo 'make lint       run ruff and mypy (make format: let ruff rewrite the code)'
	@echo 'make bench      measure speed on this machine'
	@echo 'make lock       resolve the dependencies in setup.cfg into requirements.lock'
	@echo 'make clean      remove .venv and caches, but not runs/'

setup: $(READY)

$(READY): requirements.lock setup.cfg pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Python 3.11 to 3.13 is needed, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv==$(UV_VERSION)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $@

reproduce: setup
	@rm -f reports/r2rt_part1/claims.json
	@# Exit code 1 may mean that a claim fails, which is a result. A failed run is an error.
	$(BIN)/python run.py reproduce r2rt_part1 || \
	    { test $$? -eq 1 && test -s reports/r2rt_part1/claims.json && \
	      ! grep -q '"not_run"' reports/r2rt_part1/claims.json; }

test: setup
	$(BIN)/python -m pytest -n auto --timeout $(SECONDS_PER_TEST) -m 'not slow and not faults'

test-faults: setup
	$(BIN)/python -m pytest -n auto --timeout 900 -m faults

test-slow: setup
	$(BIN)/python -m pytest -n auto --timeout 1800 -m slow

# The fault tests try samples of these.
COUNTED := TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python -m pytest -n 0 -s -q

test-kills: setup
	RNN_KILLS=1000 $(COUNTED) tests/faults/test_kills.py

test-failing-calls: setup
	RNN_FAILURES=all $(COUNTED) tests/faults/test_failing_calls.py

test-fuzz: setup
	RNN_FUZZ=20000 $(COUNTED) --timeout 7200 tests/test_fuzz.py

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup
	$(BIN)/python run.py bench

lock: setup
	$(BIN)/uv pip compile setup.cfg --extra test --extra lint --extra slurm --universal --python-version 3.11 \
	    --generate-hashes --quiet --custom-compile-command 'make lock' --output-file requirements.lock

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
