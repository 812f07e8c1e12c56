# The clients: their tests and generated code. The root Makefile includes this; each language's targets are in its client.mk.
include $(wildcard clients/*/client.mk)

LANGUAGES := go java python typescript

test-clients: $(addprefix test-client-,$(LANGUAGES)) ## Test the clients (needs Go, Node and Java)
generate-clients: $(addprefix generate-client-,$(LANGUAGES)) ## Make the clients' generated code

.PHONY: test-clients generate-clients $(addprefix test-client-,$(LANGUAGES)) $(addprefix generate-client-,$(LANGUAGES))
