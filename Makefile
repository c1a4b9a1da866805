# The main job is `make tables`; each target sets up .venv first if it is missing.
SCALE =
PYTHON = python3.11
BIN = .venv/bin

.PHONY: tables report test lint bench gpu-check

tables: .venv/ready
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --cores all $(if $(SCALE),--config scale=$(SCALE))
	@$(BIN)/python scripts/print_tables.py $(if $(SCALE),--scale $(SCALE))

report: .venv/ready
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --cores all $(if $(SCALE),--config scale=$(SCALE)) -- all report_pages
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --report report/report.html $(if $(SCALE),--config scale=$(SCALE)) -- report_pages

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

# VIDEOS and FLO name real material, if you have any: a folder, and Middlebury's .flo files.
bench: .venv/ready
	PYTHONPATH=scripts $(BIN)/python benchmarks/bench_flow.py $(if $(VIDEOS),--videos "$(VIDEOS)") $(if $(FLO),--flo $(FLO)) --device $(or $(DEVICE),cpu)
	PYTHONPATH=scripts $(BIN)/python benchmarks/bench_store.py $(if $(VIDEOS),--videos "$(VIDEOS)")
	PYTHONPATH=scripts $(BIN)/python benchmarks/bench_training.py $(if $(VIDEOS),--videos "$(VIDEOS)") --device $(or $(DEVICE),cpu) --batch $(or $(BATCH),32) --iterations $(or $(ITERATIONS),3) --workers $(or $(WORKERS),0)

# On a machine with a GPU; docs/gpu.md says what it needs. It sets up nothing: torch and NumPy are enough.
GPU_PYTHON = $(if $(wildcard $(BIN)/python),$(BIN)/python,python3)
gpu-check:
	$(GPU_PYTHON) benchmarks/gpu_check.py $(if $(DEVICE),--device $(DEVICE))
