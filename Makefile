# Every target does its own set-up. PYTHON may name another interpreter of 3.11 or newer.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
export GX_ANALYTICS_ENABLED := false
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export DO_NOT_TRACK := 1
export PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS := 180
# Each step may be a process of its own: without compiled modules on disk every one of them compiles all libraries anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test acceptance check proof bench up down lock docs format clean

$(BIN)/uv: requirements-uv.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	@touch $@

$(VENV)/run.stamp: $(BIN)/uv requirements.txt pyproject.toml
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp requirements-dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.txt
	@touch $@

demo: $(VENV)/run.stamp  ## a real retailer's year and an invented brand, from export files to audience files in ./lake
	$(BIN)/strata demo

test: $(VENV)/dev.stamp  ## every test but those of acceptance and the long proofs
	infra/test-tools.sh
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder -p no:randomly -m "not proof and not acceptance"

acceptance: $(VENV)/dev.stamp  ## the demo twice, held against the raw data; kills, races and restatements of whole flows; pages word by word; Prefect's house
	infra/test-tools.sh
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -p no:randomly -m "acceptance and not proof"

proof: $(VENV)/dev.stamp  ## the long checks: kills, races, twenty million orders, thousands of examples for each law
	infra/test-tools.sh
	$(BIN)/pytest tests/bench -m proof --timeout 3600
	$(BIN)/pytest -n 2 --ignore tests/bench -m proof --timeout 3600
	STRATA_EXAMPLES=40 $(BIN)/pytest -n 2 tests/unit -m "not proof" --timeout 3600

check: $(VENV)/dev.stamp  ## format, lint, types, import rules: what the pre-commit hook runs
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/dev.stamp  ## RFM and tiers on 20 M orders beside DuckDB SQL and pandas, a whole refresh stage by stage, an ingest, who is who, a campaign of a million; ORDERS names another number
	$(BIN)/python -m tests.bench.run --orders $(or $(ORDERS),20000000)

format: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

up: $(VENV)/run.stamp  ## Prefect on this machine with every deployment: prints the dashboard's address; PORT names another port
	@$(BIN)/python -m infra.server up --port $(or $(PORT),4200)

down:  ## ends what `up` started
	@test ! -x $(BIN)/python || $(BIN)/python -m infra.server down

docs: $(VENV)/run.stamp  ## writes the generated pages of docs/ anew
	$(BIN)/python -m infra.docs

clean:  ## removes the environment, the demo's lake and every cache
	rm -rf $(VENV) lake build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

lock: $(BIN)/uv  ## pins every dependency anew, with hashes and without an index's address
	infra/lock.sh $(BIN)/uv
