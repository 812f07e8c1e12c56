test-client-python: .venv/clients ## Test the Python client
	$(BIN)/pytest clients/python/tests

.venv/clients: clients/python/pyproject.toml proto/gen/pyproject.toml .venv/dev
	$(INSTALL) --no-deps --no-build-isolation --editable proto/gen --editable clients/python
	@touch $@
