# Everything runs in .venv, from hashed locks. The only needs are Python >= 3.11 and make.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: install demo test test-all check bench lock wheel clean

install: $(STAMP)

$(STAMP): requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $(STAMP)

demo: install
	$(BIN)/dienstweg demo

test: install
	$(BIN)/python -m pytest -n 2 -m "not long"

test-all: install
	$(BIN)/python -m pytest -n 2

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install
	$(BIN)/python -m benchmarks all --out benchmarks.jsonl

# Renews the locks; they name packages and hashes, no host.
lock:
	$(BIN)/uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header \
		--extra intermediary -o requirements.txt pyproject.toml
	$(BIN)/uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header \
		--all-extras --group dev -o requirements-dev.txt pyproject.toml

wheel: install
	rm -rf dist build
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation -w dist .

clean:
	rm -rf .venv build dist *.egg-info
