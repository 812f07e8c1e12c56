# The published SDKs against a real server. `make test-sdks` sets up what they need and runs all of them; only a
# language's toolchain is taken as given. Without it its SDKs are left out, and said to be, but not where CI=true.
SDKS := tests/sdks
SDKS_BUILD := $(SDKS)/.build
SDKS_PYTHON := $(basename $(notdir $(wildcard $(SDKS)/python/*.lock)))
SDKS_READY := $(SDKS_PYTHON:%=$(SDKS_BUILD)/python/%/ready) $(SDKS_BUILD)/javascript $(SDKS_BUILD)/go/ready \
	$(SDKS_BUILD)/java $(SDKS_BUILD)/rust/ready $(SDKS_BUILD)/chromium

test-sdks: .venv/dev ## Run the published SDKs against a real server
	@$(MAKE) --no-print-directory --jobs 3 --output-sync sdks-ready
	rm -rf $(SDKS_BUILD)/results
	$(BIN)/pytest $(SDKS) --confcutdir=$(SDKS) --numprocesses=12 --maxschedchunk=1 \
		--timeout=300 -o faulthandler_timeout=290 $(ARGS)
	$(BIN)/python -m tests.sdks.document --check

sdks-docs: ## Write docs/sdks.md from the last `make test-sdks`
	$(BIN)/python -m tests.sdks.document

lock-sdks: $(SDKS_PYTHON:%=lock-%) ## Pin what the SDKs need anew
	cd $(SDKS)/javascript && npm install --package-lock-only --ignore-scripts
	cd $(SDKS)/go && go mod tidy
	cd $(SDKS)/rust && cargo generate-lockfile && grep -v '^source = ' Cargo.lock >Cargo.pinned

lock-%: .venv/dev
	$(BIN)/uv pip compile --quiet --universal --no-header --no-annotate --no-emit-index-url --generate-hashes \
		--python-version 3.11 $(SDKS)/python/$*.in --output-file $(SDKS)/python/$*.lock

sdks-ready: $(SDKS_READY)

$(SDKS_BUILD)/python/%/ready: $(SDKS)/python/%.lock
	@echo "setting up $*"
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(@D)
	@$(BIN)/uv pip install --quiet --python $(@D)/bin/python --require-hashes --requirements $<
	@touch $@

SDKS_MISSING = $(if $(filter true,$(CI)),1,0)
# Each of these is made where its tool is there, and else left out with a word.
needs = command -v $(1) >/dev/null || { echo "no $(1): its SDKs are left out"; exit $(SDKS_MISSING); }

$(SDKS_BUILD)/javascript: $(SDKS)/javascript/package-lock.json
	@$(call needs,npm); echo "setting up the npm packages"; mkdir -p $(@D); \
		cd $(SDKS)/javascript && npm ci --silent --no-audit --no-fund --ignore-scripts && touch $(CURDIR)/$@

$(SDKS_BUILD)/go/ready: $(wildcard $(SDKS)/go/*/*.go) $(SDKS)/go/go.mod $(SDKS)/go/go.sum
	@$(call needs,go); echo "setting up the Go modules"; mkdir -p $(@D); \
		cd $(SDKS)/go && go build -o $(CURDIR)/$(@D)/ ./segment ./rudderstack && touch $(CURDIR)/$@

$(SDKS_BUILD)/java: $(shell find $(SDKS)/java -name pom.xml -o -name '*.java' -o -name '*.kt')
	@$(call needs,mvn); echo "setting up the Maven artifacts"; mkdir -p $(@D); \
		mvn --quiet --batch-mode --file $(SDKS)/java/pom.xml process-classes && \
		touch $@ $(SDKS)/java/segment/target/ready $(SDKS)/java/rudderstack/target/ready $(SDKS)/java/kotlin/target/ready

# Cargo.pinned is Cargo.lock without the lines that name the registry; cargo itself knows them.
$(SDKS_BUILD)/rust/ready: $(shell find $(SDKS)/rust -name '*.rs' -o -name 'Cargo.toml' -o -name Cargo.pinned)
	@$(call needs,cargo); echo "setting up the crates"; mkdir -p $(@D); cd $(SDKS)/rust && cargo generate-lockfile --quiet && \
		awk -v source="$$(grep -m1 '^source' Cargo.lock)" '/^checksum/ {print source} {print}' Cargo.pinned >Cargo.made && \
		mv Cargo.made Cargo.lock && cd $(CURDIR) && \
		cargo build --quiet --locked --manifest-path $(SDKS)/rust/Cargo.toml --target-dir $(@D) && touch $@

$(SDKS_BUILD)/chromium: $(SDKS_BUILD)/javascript
	@command -v chromium >/dev/null || \
		{ echo "installing Chromium"; apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium >/dev/null; } || \
		{ echo "no Chromium, and it cannot be installed: the browser's SDKs are left out"; exit $(SDKS_MISSING); }
	@! command -v chromium >/dev/null || ! test -e $< || touch $@

.PHONY: test-sdks sdks-docs sdks-ready lock-sdks
