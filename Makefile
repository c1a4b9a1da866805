# The main job is `make tables`; each target sets up .venv first if it is missing.
SCALE =
PYTHON = python3.11
BIN = .venv/bin

.PHONY: tables test lint bench

tables: .venv/ready
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --cores all $(if $(SCALE),--config scale=$(SCALE))
	@$(BIN)/python scripts/print_tables.py $(if $(SCALE),--scale $(SCALE))

test: .venv/ready
	$(BIN)/pytest

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy scripts
	$(BIN)/snakefmt --check workflow
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --lint

.venv/ready: requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv: .venv/ready
