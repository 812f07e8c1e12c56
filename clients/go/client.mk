PROTOC_GEN_GO := v1.36.12
PROTOC_GEN_GO_GRPC := v1.6.2
GO_PLUGINS := $(CURDIR)/.venv/go-plugins-$(PROTOC_GEN_GO)-$(PROTOC_GEN_GO_GRPC)
GO_MODULE := github.com/trackside/trackside/clients/go
GO_OUT ?= clients/go
GO_RACE ?= -race# detects data races, and needs a C compiler

test-client-go: .venv/dev ## Test the Go client
	test -z "$$(gofmt -l clients/go)"
	rm -rf .venv/go-generated && mkdir .venv/go-generated
	$(MAKE) --no-print-directory generate-client-go GO_OUT=.venv/go-generated
	diff -r .venv/go-generated/tracksidev1 clients/go/tracksidev1
	cd clients/go && go vet ./... && go test -count=1 $(GO_RACE) ./...

generate-client-go: $(GO_PLUGINS) .venv/dev ## Make the Go client's generated code
	PATH="$(GO_PLUGINS):$$PATH" $(BIN)/python clients/protoc.py --go_out=$(GO_OUT) --go-grpc_out=$(GO_OUT) \
		--go_opt=module=$(GO_MODULE) --go-grpc_opt=module=$(GO_MODULE)

$(GO_PLUGINS):
	GOBIN=$@ go install google.golang.org/protobuf/cmd/protoc-gen-go@$(PROTOC_GEN_GO)
	GOBIN=$@ go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@$(PROTOC_GEN_GO_GRPC)
