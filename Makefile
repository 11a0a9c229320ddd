# Everything from nothing but Python 3.11: the virtual environment is made on demand and made anew when a lock changes.

PYTHON ?= python3
VENV ?= .venv
BROKER ?= memory
export BROKER
# When this make began, so that `make smoke` can say how long installing took.
MADE_AT := $(shell date +%s.%N)

BIN := $(VENV)/bin
SERVICES := ingest scoring routing
PROJECTS := shared $(SERVICES:%=services/%)
EDITABLE := $(PROJECTS:%=--editable %)
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
TESTS ?= tests

.DEFAULT_GOAL := help
.PHONY: help demo smoke test check fmt up down migrate docs explain faults bench lock

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/demo ## the whole product on this machine, with a made-up contact center; BROKER=kafka for Apache Kafka; Ctrl-C ends it
	@$(BIN)/python -m deploy.demo

smoke: $(VENV)/demo ## the demo without a person: one contact through the whole loop, one JSON line of seconds; BROKER=kafka too
	@MADE_AT=$(MADE_AT) $(BIN)/python -m deploy.demo.smoke

test: $(VENV)/dev ## all tests, against a real PostgreSQL and, where Java and Maven are, a real Apache Kafka; TESTS=tests/shared for a part
	@$(BIN)/python -m pytest $(TESTS)

check: $(VENV)/dev ## style, types, who may import whom, what must stay pure, the deployment files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -q tests/contracts

fmt: $(VENV)/dev ## put the code into the house's format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

up: ## the deployment shape with Docker compose: Kafka, PostgreSQL, three services, Prometheus, Grafana
	docker compose up --build --detach --wait

down: ## end it and forget its data
	docker compose down --volumes

migrate: $(VENV)/demo ## bring the three schemas of AFTERCALL_DATABASE_URL up to date
	@set -e; for service in $(SERVICES); do $(BIN)/python -m $$service migrate; done

docs: $(VENV)/dev ## write what the code itself says: message schemas, OpenAPI, AsyncAPI, tables of settings and metrics
	@$(BIN)/python -m tests.support.schema_files
	@$(BIN)/python -m tests.support.documents

explain: $(VENV)/dev ## what ingest makes of every committed sample, as a table: file, platform, meaning
	@cd tests/ingest/fixtures && ls */*.json | grep -v '\.expected\.json$$' | xargs ../../../$(BIN)/python -m ingest explain --table

faults: $(VENV)/dev ## what is killed, cut off and fed with nonsense (docs/faults.md): a JSON line a case, the last is the sum; CASES="A1 B7" picks
	@FAULTS=1 CASES="$(CASES)" $(BIN)/python -m pytest -q -s --show-capture=no -m fault tests/faults

bench: $(VENV)/dev ## how fast, how soon, how lean, each with its goal, beside a bare floor and a record-at-a-time twin; BENCH_PARTS="drain latency" picks
	@$(BIN)/python -m tests.bench

lock: $(VENV)/dev # for who changes a dependency: writes the three locks anew, without addresses
	@PATH="$(BIN):$$PATH" sh deploy/lock.sh

# One environment serves both: the development lock holds everything of the demo's. Bytecode is compiled on first import,
# which is sooner than all of it now.
$(VENV)/demo: requirements-demo.lock
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP_INSTALL) --no-compile --require-hashes --requirement requirements-demo.lock
	@$(PIP_INSTALL) --no-build-isolation --no-deps $(EDITABLE)
	@touch $@

$(VENV)/dev: requirements-dev.lock $(VENV)/demo
	@$(PIP_INSTALL) --no-compile --require-hashes --requirement requirements-dev.lock
	@touch $@
