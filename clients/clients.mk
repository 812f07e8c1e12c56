# The clients: their tests and generated code. The root Makefile includes this; each language's targets are in its client.mk.
include $(wildcard clients/*/client.mk)

LANGUAGES := go java python typescript

# Two at a time: they fetch, compile, and wait for servers that they killed.
test-clients: .venv/clients ## Test the clients (needs Go, Node and Java)
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target $(addprefix test-client-,$(LANGUAGES)) test-grpcurl

.PHONY: test-clients $(addprefix test-client-,$(LANGUAGES)) generate-client-go

# `make generate` also makes the Go client's committed code where Go is installed. `make test-clients` fails if it is stale.
# The Java and TypeScript code is not committed: Maven and npm make it in each build.
ifneq ($(filter generate,$(MAKECMDGOALS)),)
generate: $(if $(shell command -v go),generate-client-go,$(info go is not installed: the generated code of clients/go stays as it is))
endif

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
	$(JAVA_MVN) test-compile $(JAVA_CLASSPATH)
	@cd clients/java/target && echo "-cp $$PWD/classes:$$PWD/test-classes:$$(cat classpath) dev.trackside.client.Bench" \
		>$(CURDIR)/.venv/bench-client-java
	$(BIN)/python -m benchmarks.clients $(ARGS)

.PHONY: bench-clients
