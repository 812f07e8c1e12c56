TYPESCRIPT := clients/typescript

test-client-typescript: $(TYPESCRIPT)/node_modules .venv/dev ## Test the TypeScript client
	npm --prefix $(TYPESCRIPT) run build
	npm --prefix $(TYPESCRIPT) test

# Without scripts: npm would run `prepare`, which needs this environment and comes with each build.
$(TYPESCRIPT)/node_modules: $(TYPESCRIPT)/package-lock.json
	npm --prefix $(TYPESCRIPT) ci --ignore-scripts
	@touch $@
