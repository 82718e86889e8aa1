# Needs python3 (3.11 or newer) with pip and venv; everything else goes into $(VENV).
PYTHON ?= python3
VENV ?= .venv
PYTEST_ARGS ?= -n 2 -m "not slow"

PIP := $(VENV)/bin/python -m pip --disable-pip-version-check
BIN := $(VENV)/bin
PROTEOME := data/ecoli_k12.fasta.gz
SOURCES := bioseq cli pipelines tests

# The theme prints a notice about its successor otherwise.
export NO_MKDOCS_2_WARNING := 1

.PHONY: help demo test lint lint-code lint-format lint-types lint-imports lint-spelling lint-workflow docs clean

help:
	@echo "make demo   embed the bundled E. coli proteome"
	@echo "make test   run the fast tests"
	@echo "make lint   check code, format, types, imports and spelling"
	@echo "make docs   build the documentation into site/"
	@echo "make clean  remove $(VENV) and everything built"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# A stamp for each set of extras: a second run installs nothing.
$(VENV)/.installed-%: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install -q -c constraints.txt -e '.[$*]'
	@touch $@

demo: $(VENV)/.installed-zstd
	@mkdir -p results
	$(BIN)/bioseq embed $(PROTEOME) -o results/ecoli.h5
	@echo
	@echo "results/ecoli.h5 holds one vector per protein. To look at it:"
	@echo "  . $(BIN)/activate"
	@echo "  bioseq store info results/ecoli.h5"
	@echo "  python -c 'import bioseq; print(bioseq.open_store(\"results/ecoli.h5\").records)'"
	@echo "  bioseq embed your_sequences.fasta -o your_vectors.h5"

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: lint-code lint-format lint-types lint-imports lint-spelling lint-workflow

lint-code: $(VENV)/.installed-dev
	$(BIN)/ruff check $(SOURCES)

lint-format: $(VENV)/.installed-dev
	$(BIN)/ruff format --check $(SOURCES)

lint-types: $(VENV)/.installed-dev
	$(BIN)/basedpyright --pythonpath $(BIN)/python

lint-imports: $(VENV)/.installed-dev
	$(BIN)/lint-imports

lint-spelling: $(VENV)/.installed-dev
	$(BIN)/codespell

lint-workflow: $(VENV)/.installed-dev
	$(BIN)/snakefmt --check Snakefile pipelines
	$(BIN)/snakemake --lint

docs: $(VENV)/.installed-docs
	$(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) build dist site .pytest_cache .ruff_cache .hypothesis .import_linter_cache
