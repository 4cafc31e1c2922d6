# make app    set up .venv once and serve the explorer on PORT (default 8501) of this machine; HOST=0.0.0.0 for others
# make test   the same plus what only tests need, then every test; make test-fast: the quick ones
PYTHON ?= python3
PORT ?= 8501
HOST ?= localhost
VENV := .venv
BIN := $(VENV)/bin

# The stamps carry the checksum of what they stand for: nothing is installed again until that changes.
RUNTIME := $(VENV)/.runtime-$(shell sha256sum requirements.txt | cut -c1-16)
DFT := $(VENV)/.dft-$(shell cat requirements.txt requirements-dft.txt | sha256sum | cut -c1-16)
TESTING := $(VENV)/.testing-$(shell cat requirements.txt requirements-test.txt | sha256sum | cut -c1-16)

.DEFAULT_GOAL := help
.PHONY: help app test test-fast install install-test dft browser check hooks audit format clean

help:
	@echo "make app [PORT=8501]  serve the explorer from the shipped database (sets up $(VENV) first)"
	@echo "         [HOST=localhost]  0.0.0.0 lets other machines in (docs/server.md)"
	@echo "make test             run every test (sets up test requirements and chromium first)"
	@echo "make test-fast        run the quick tests: no browser, no potentials, no training"
	@echo "make dft              add GPAW for first principles (needs libxc and OpenBLAS; says which packages)"
	@echo "make check            ruff format, ruff and mypy over core and app"
	@echo "make hooks            run these checks before every commit"
	@echo "make audit            ask for known vulnerabilities of all that is installed (needs a network)"
	@echo "make format           let ruff rewrite the code in the house format"
	@echo "make clean            remove $(VENV) and caches"

app: install
	@exec $(BIN)/python -m streamlit run app/server.py --server.address $(HOST) --server.port $(PORT) --server.headless true

# Files stay whole on one worker: their fixtures (a server, a trained model) are made once.
XDIST := -n 2 --dist loadfile

test: install-test browser
	$(BIN)/python -m pytest $(XDIST) $(PYTEST_FLAGS)

test-fast: install-test
	@echo "Left out: browser tests, and what loads potentials or trains networks (marked slow). make test runs all."
	$(BIN)/python -m pytest $(XDIST) -m "not slow and not browser" $(PYTEST_FLAGS)

install:
	@VENV=$(VENV) PYTHON="$(PYTHON)" sh scripts/install.sh $(RUNTIME) requirements.txt

install-test: install
	@VENV=$(VENV) PYTHON="$(PYTHON)" sh scripts/install.sh $(TESTING) requirements.txt requirements-test.txt

dft: install
	@VENV=$(VENV) sh scripts/dft.sh $(DFT)

browser:
	@sh scripts/browser.sh

check: install-test
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy core app

hooks: install-test
	$(BIN)/python -m pre_commit install

audit: install-test
	@VENV=$(VENV) sh scripts/audit.sh

format: install-test
	$(BIN)/python -m ruff format .
	$(BIN)/python -m ruff check --fix .

clean:
	rm -rf $(VENV) .venv-audit .pytest_cache .ruff_cache .mypy_cache .hypothesis
