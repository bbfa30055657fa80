# Each target makes the environment it needs; nothing but Python 3.11+ and make is presumed.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BENCH_READY := $(VENV)/.ready-bench
DOCS_READY := $(VENV)/.ready-docs
SIDE_BY_SIDE := -n logical --maxprocesses 8 --dist worksteal
ABOUT_MORE := activate cli corpus demo docs driver durable endings evidence_store guarded isolation labelled ledger \
	pace packaging peers platforms proxy reader real_programs recheck rows storage write_a_plugin
COVERED = $(filter-out $(ABOUT_MORE:%=tests/test_%%),$(wildcard tests/test_*.py))

.PHONY: setup demo check test cover bench docs night clean
.DEFAULT_GOAL := setup

setup: $(READY)  ## an environment with the program and what its tests need

$(READY): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[all]' --group dev
	touch $@

$(BENCH_READY): $(READY)
	$(BIN)/python -m pip install --quiet --group bench
	touch $@

$(DOCS_READY): $(READY)
	$(BIN)/python -m pip install --quiet --group docs
	touch $@

demo: $(READY)  ## a small web on loopback, and what may be taken from it
	@$(BIN)/consentcrawl demo

check: $(READY)  ## format, lint, types, contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: $(READY)  ## the suite
	$(BIN)/python -m pytest $(SIDE_BY_SIDE)

cover: $(READY)  ## branch coverage of core, formats and signals by the tests that are about them
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) $(COVERED) --cov --cov-report=term-missing:skip-covered

night: $(READY)  ## the long suites, and many more examples for every law
	$(BIN)/python -m pytest -m 'slow or hypothesis' --hypothesis-profile night --timeout 3600

bench: $(BENCH_READY)  ## every figure the documents quote, with the peers beside them
	$(BIN)/python -m bench

docs: $(DOCS_READY)  ## the documents as a site in site/
	$(BIN)/mkdocs build --strict --quiet

clean:
	rm -rf $(VENV) build dist site .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis
