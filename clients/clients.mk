# The clients: their tests and generated code. The root Makefile includes this; each language's targets are in its client.mk.
include $(wildcard clients/*/client.mk)

LANGUAGES := go java python typescript

# Two at a time: they fetch, compile, and wait for servers that they killed.
test-clients: .venv/clients ## Test the clients (needs Go, Node and Java)
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target $(addprefix test-client-,$(LANGUAGES)) test-grpcurl check-client-sizes

generate-clients: $(addprefix generate-client-,$(LANGUAGES)) ## Make the clients' generated code

.PHONY: test-clients generate-clients $(addprefix test-client-,$(LANGUAGES)) $(addprefix generate-client-,$(LANGUAGES))

# `make generate` makes the code of every client too whose language's tool is there. `make test-clients` finds what is stale.
ifneq ($(filter generate,$(MAKECMDGOALS)),)
with = $(if $(shell command -v $(1)),generate-client-$(2),$(info no $(1): the generated code of clients/$(2) stays as it is))
generate: $(call with,go,go) $(call with,mvn,java) $(call with,npm,typescript)
endif

# Each is a thin layer over generated code, and is to stay one.
check-client-sizes: .venv/dev ## Fail where a client has too many lines by hand
	$(BIN)/python clients/sizes.py

.PHONY: check-client-sizes

# The documented calls, with the tool that people use by hand.
GRPCURL_VERSION := v1.9.3
GRPCURL := tests/grpc_tools/.build/$(GRPCURL_VERSION)

test-grpcurl: $(GRPCURL)/grpcurl .venv/dev ## Run the grpcurl calls of the documentation (needs Go)
	PATH="$(CURDIR)/$(GRPCURL):$$PATH" $(BIN)/pytest tests/grpc_tools --confcutdir=tests/grpc_tools

$(GRPCURL)/grpcurl:
	GOBIN=$(CURDIR)/$(@D) go install github.com/fullstorydev/grpcurl/cmd/grpcurl@$(GRPCURL_VERSION)

.PHONY: test-grpcurl

bench-clients: .venv/clients clients/typescript/node_modules ## Measure the clients' throughput beside the service's limit
	cd clients/go && go build -o $(CURDIR)/.venv/bench-client-go ./bench
	npm --prefix clients/typescript run build
	$(JAVA_MVN) test-compile $(JAVA_FETCH):build-classpath -Dmdep.outputFile=$(CURDIR)/clients/java/target/classpath
	@cd clients/java/target && echo "-cp $$PWD/classes:$$PWD/test-classes:$$(cat classpath) dev.trackside.client.Bench" \
		>$(CURDIR)/.venv/bench-client-java
	$(BIN)/python -m benchmarks.clients $(ARGS)

.PHONY: bench-clients
