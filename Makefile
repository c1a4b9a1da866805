# The main job is `make tables`; each target sets up .venv first if what it needs there is missing.
SCALE =
# What makes .venv, as a call or the environment names it; else the first of python3.11, python3.12, python3.13
# that is here.
PYTHON ?=
BIN = .venv/bin
GROUPS = tables pretrained remotes cluster test lint uv

# Snakemake keeps a cache at home; where that may only be read, here.
ifneq ($(shell test -w "$$HOME" && echo yes),yes)
export XDG_CACHE_HOME ?= $(CURDIR)/scratch/cache
endif

.PHONY: tables reproduce report publish rehearsal test lint bench emulated doctor gpu-check lock pretrained remotes cluster
# Groups are installed into one .venv.
.NOTPARALLEL:

tables: .venv/tables.ready
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --cores all $(if $(SCALE),--config scale=$(SCALE))
	@$(BIN)/python scripts/print_tables.py $(if $(SCALE),--scale $(SCALE))

# Tables and figures, compared byte by byte with what is published; fails if one differs.
reproduce: .venv/tables.ready
	PATH="$(CURDIR)/$(BIN):$$PATH" python scripts/reproduce.py $(if $(SCALE),--scale $(SCALE))
	@$(BIN)/python scripts/print_tables.py $(if $(SCALE),--scale $(SCALE))

report: .venv/tables.ready
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --cores all $(if $(SCALE),--config scale=$(SCALE)) -- all report_pages write_report
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --report report/provenance.html $(if $(SCALE),--config scale=$(SCALE)) -- report_pages

# Models, score files and tables, pushed to a folder or a DVC remote: make publish TO=/where
publish: .venv/tables.ready
	PATH="$(CURDIR)/$(BIN):$$PATH" python scripts/publish_models.py --to "$(TO)"

# The paper's scale at full size on a few drawn videos, from download to a row of Table 3.
rehearsal: .venv/tables.ready
	PATH="$(CURDIR)/$(BIN):$$PATH" PYTHONPATH=scripts python benchmarks/rehearsal.py

# What a report of a problem needs. Where this cannot set up: python3 scripts/doctor.py
doctor: .venv/tables.ready
	@$(BIN)/python scripts/doctor.py

test: .venv/test.ready
	$(BIN)/pytest

lint: .venv/lint.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy scripts
	$(BIN)/snakefmt --check workflow
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --lint

# Set-up, one group of packages at a time (pyproject.toml), and again whenever the lock has changed.
$(GROUPS:%=.venv/%.ready): .venv/%.ready: requirements/%.txt requirements/tables.txt requirements/pip.txt
	@PYTHON="$(PYTHON)" scripts/install_packages.sh $*

.venv: .venv/tables.ready

pretrained remotes cluster: %: .venv/%.ready

# Renews requirements/*.txt; with UPGRADE=1 also what pyproject.toml does not name.
lock: .venv/uv.ready
	PATH="$(CURDIR)/$(BIN):$$PATH" python scripts/lock_packages.py $(if $(UPGRADE),--upgrade)

# VIDEOS and FLO name real material, if you have any: a folder, and Middlebury's .flo files.
bench: .venv/pretrained.ready
	PYTHONPATH=scripts $(BIN)/python benchmarks/bench_flow.py $(if $(VIDEOS),--videos "$(VIDEOS)") $(if $(FLO),--flo $(FLO)) --device $(or $(DEVICE),cpu)
	PYTHONPATH=scripts $(BIN)/python benchmarks/bench_store.py $(if $(VIDEOS),--videos "$(VIDEOS)")
	PYTHONPATH=scripts $(BIN)/python benchmarks/bench_training.py $(if $(VIDEOS),--videos "$(VIDEOS)") --device $(or $(DEVICE),cpu) --batch $(or $(BATCH),32) --iterations $(or $(ITERATIONS),3) --workers $(or $(WORKERS),0)

# Each kind of job on emulated processors, compared with this one; QUICK=1 is what CI runs.
emulated: .venv/pretrained.ready
	PATH="$(CURDIR)/$(BIN):$$PATH" PYTHONPATH=scripts python benchmarks/emulated_processors.py $(if $(QUICK),--quick)

# On a machine with a GPU; docs/gpu.md says what it needs. It sets up nothing: torch and NumPy are enough.
GPU_PYTHON = $(if $(wildcard $(BIN)/python),$(BIN)/python,python3)
gpu-check:
	$(GPU_PYTHON) benchmarks/gpu_check.py $(if $(DEVICE),--device $(DEVICE))
