# Everything sets itself up: `make serve` and `make test` need Python 3.11+ and make, nothing else.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
BREAKING_AGAINST ?= proto/breaking-baseline.binpb

help: ## What can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

serve: .venv/runtime ## Run the collector
	@exec $(BIN)/trackside serve $(ARGS)

test: .venv/dev ## Run the tests
	$(BIN)/pytest -n 2 --dist loadfile $(ARGS)

check: .venv/dev ## Lint, types, import contracts, protos, generated code
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python proto/generate.py --check --breaking-against $(BREAKING_AGAINST)
	$(BIN)/python proto/describe.py --check

format: .venv/dev ## Format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/buf format -w --path proto/trackside

generate: .venv/dev ## Make all that is generated: code, docs/protocol.md's reference, docs/openapi.json, docs/schema
	$(BIN)/python proto/generate.py
	$(BIN)/python proto/document.py
	$(BIN)/python proto/describe.py

fuzz-api: .venv/dev ## Check the answers against the OpenAPI document, with more than 10,000 requests: some minutes
	FUZZ_API=1 $(BIN)/pytest -s -o faulthandler_timeout=0 tests/api/test_conformance.py $(ARGS)

bench: .venv/dev wrk ## Measure beside Sanic's ceiling; AGAINST=COMMIT also beside that commit; see benchmarks/README.md
	$(BIN)/python -m benchmarks.compare $(if $(AGAINST),--against $(AGAINST)) $(ARGS)

bench-check: .venv/dev wrk ## Fail where Trackside fell behind the recorded figures
	$(BIN)/python -m benchmarks.compare --check $(ARGS)

mutants: .venv/dev ## See whether tests notice faults put into modules: 90 minutes at most; ARGS=MODULE for one
	$(BIN)/python -m tests.mutation $(ARGS)

wrk:
	@command -v wrk >/dev/null || (apt-get -q update && apt-get -q -y install wrk)

lock: .venv/dev ## Pin every dependency anew
	$(BIN)/uv pip compile -q --universal --no-header --no-annotate --no-emit-index-url --no-emit-package trackside-protos --generate-hashes --python-version 3.11 \
		pyproject.toml --group build -o requirements.lock $(ARGS)
	$(BIN)/uv pip compile -q --universal --no-header --no-annotate --no-emit-index-url --no-emit-package trackside-protos --generate-hashes --python-version 3.11 \
		-c requirements.lock pyproject.toml --group dev -o requirements-dev.lock $(ARGS)

clean: ## Remove what was set up and made; the data directory stays
	rm -rf .venv .bench .pytest_cache .ruff_cache .import_linter_cache .hypothesis

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("Trackside needs Python 3.11 or later; set PYTHON=") if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv .venv

INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check

.venv/runtime: requirements.lock pyproject.toml proto/gen/pyproject.toml | .venv/bin/python
	$(INSTALL) --require-hashes --only-binary :all: -r requirements.lock
	$(INSTALL) --no-deps --no-build-isolation --editable proto/gen --editable .
	@touch $@

.venv/dev: requirements-dev.lock .venv/runtime
	$(INSTALL) --require-hashes --only-binary :all: -r requirements-dev.lock
	@touch $@

.PHONY: fuzz-api bench bench-check mutants wrk help serve test check format generate lock clean

-include tests/sdks/sdks.mk clients/clients.mk
