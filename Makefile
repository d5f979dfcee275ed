# Two commands matter: `make demo` and `make test`. `make help` lists the rest.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help install demo test chaos bench loss lint stack worker clean

help: ## This list
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/installed ## Create .venv and install everything

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: install ## Real Kafka, real input, the agents, a table and out/demo.html
	$(BIN)/python -m demo $(if $(REGISTRY),--registry)

test: install ## Everything, against a real Kafka; two files at a time, each side with servers of its own
	$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

chaos: install ## The long attacks on real workers, some 50 minutes (SEEDS=20 for more kills)
	$(BIN)/python -m tests.chaos.full --seeds $(or $(SEEDS),1)

bench: install ## Speed beside the peers, in about 40 minutes: bench/results.json, bench/chart.svg
	$(BIN)/python -m bench.everything

loss: install ## What Headrace and its peers lose under kill -9: bench/loss.md, in about 20 minutes
	$(BIN)/python -m bench.loss

lint: install ## ruff and mypy
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

stack: install ## Start a Kafka and a registry on this machine
	$(BIN)/python -m devstack up --registry

worker: install ## Run every agent against the stack
	set -a && eval "$$($(BIN)/python -m devstack env)" && $(BIN)/headrace init && $(BIN)/faust -A streams worker

clean: ## Stop the stack and remove what was made
	[ ! -x $(BIN)/python ] || $(BIN)/python -m devstack down
	rm -rf .venv .devstack .bench out data .mypy_cache .ruff_cache .pytest_cache .hypothesis
