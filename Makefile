# Everything a newcomer needs. Each target makes its own environment in ./.venv and says so first.
PYTHON ?= python3
PORT   ?= 8080
SIZE   ?= quick
UV     := .tools/bin/uv
BIN    := .venv/bin
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := .venv

NO_NETWORK := echo "The packages could not be fetched: is there a network? (A mirror: PIP_INDEX_URL and UV_DEFAULT_INDEX.) \
What is installed already stays; run the same again."; exit 1

.DEFAULT_GOAL := help
.PHONY: help run demo test lint format bench docs clean

help: ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: .venv/.run ## set up, walk the whole journey in a demo authority, then serve on 127.0.0.1:8080 (PORT=8081 for another)
	@$(BIN)/pechatnik quickstart --serve --port $(PORT)

demo: .venv/.run ## the same journey in a fresh folder, then exit
	@$(BIN)/pechatnik quickstart --directory var/demo --fresh --yes

test: .venv/.dev ## set up, install the system packages the tests need where that is allowed, run all tests
	@sh tests/system-packages
	@$(BIN)/python -m pytest -n 2 --dist loadgroup $(PYTEST)

lint: .venv/.dev ## formatting, style, types and the layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: .venv/.dev ## put the code into its format
	@$(BIN)/ruff check --fix -q .
	@$(BIN)/ruff format .

bench: .venv/.dev ## all benchmarks, in some minutes (SIZE=full for all that docs/performance.md shows); report in build/
	@$(BIN)/python -m benchmarks.suite --size $(SIZE)

docs: .venv/.dev ## regenerate the parts of docs/ that come from code
	@PECHATNIK_WRITE_TABLES=1 $(BIN)/python -m pytest -q tests/conformance $(PYTEST)

clean: ## remove the environment, caches and the data of 'make demo'; the authority of 'make run' in var/run stays
	rm -rf .venv .tools var/demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .schemathesis

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Pechatnik needs Python 3.11 or newer, and $(PYTHON) is %d.%d. Name another one: make PYTHON=python3.12 run" % sys.version_info[:2])'
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || { echo "pip is missing for $(PYTHON): install the package python3-pip"; exit 1; }
	@echo "Installing uv (the package installer) into ./.tools"
	@[ -w . ] || { echo "This folder cannot be written by $$(id -un): clone into one of your own"; exit 1; }
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-warn-script-location --root-user-action=ignore \
		--target .tools 'uv==0.13.*' || { $(NO_NETWORK); }

.venv/.run: pyproject.toml uv.lock | $(UV)
	@echo "Installing Pechatnik and its locked dependencies into ./.venv"
	@$(UV) sync --frozen --no-dev --inexact --python $(PYTHON) --quiet || { $(NO_NETWORK); }
	@touch $@

.venv/.dev: pyproject.toml uv.lock | $(UV)
	@echo "Installing Pechatnik, its locked dependencies and the test tools into ./.venv"
	@$(UV) sync --frozen --all-extras --python $(PYTHON) --quiet || { $(NO_NETWORK); }
	@touch $@ .venv/.run
