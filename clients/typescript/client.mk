TYPESCRIPT := clients/typescript
TYPESCRIPT_GEN ?= $(TYPESCRIPT)/src/gen

test-client-typescript: $(TYPESCRIPT)/node_modules .venv/dev ## Test the TypeScript client
	npm --prefix $(TYPESCRIPT) test
	$(MAKE) generate-client-typescript TYPESCRIPT_GEN=$(TYPESCRIPT)/dist/gen
	diff -r $(TYPESCRIPT)/src/gen $(TYPESCRIPT)/dist/gen

# What protovalidate's package has of buf.validate is imported from there.
generate-client-typescript: $(TYPESCRIPT)/node_modules .venv/dev ## Make the TypeScript client's generated code
	mkdir -p $(TYPESCRIPT_GEN)
	$(BIN)/python clients/protoc.py --plugin=$(TYPESCRIPT)/node_modules/.bin/protoc-gen-es --es_out=$(TYPESCRIPT_GEN) \
		--es_opt=target=ts,import_extension=js,rewrite_imports=./buf/validate/*_pb.js:@bufbuild/protovalidate/gen google/rpc/error_details.proto

$(TYPESCRIPT)/node_modules: $(TYPESCRIPT)/package-lock.json
	npm --prefix $(TYPESCRIPT) ci
	@touch $@
