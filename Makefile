# Needs Python 3.10 or newer and make; everything else goes into .venv/. `make help` lists the targets.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types docs wheel clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1 	/p' $(MAKEFILE_LIST)

setup: $(STAMP)  ## make .venv/ with everything that the other targets need

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,emulator]'
	@touch $(STAMP)

demo: $(STAMP)  ## the example project, from dbt's YAML into a console on this machine
	@$(BIN)/python example_project/demo.py

test: $(STAMP)  ## all tests, with branch coverage
	$(BIN)/python -m pytest --numprocesses auto --cov --cov-branch --cov-report term --cov-fail-under 95

lint: $(STAMP)  ## style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)  ## static types
	$(BIN)/mypy
	$(BIN)/mypy example_project/demo.py

docs: $(STAMP)  ## links, commands and options named in the documents; the generated pages
	$(BIN)/python -m pytest --quiet tests/integration/test_documents.py tests/integration/test_reference_pages.py

wheel: $(STAMP)  ## build dist/*.whl
	rm -rf dist
	$(BIN)/python -m build --wheel

clean:  ## remove what the other targets made
	rm -rf .venv .demo dist .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
