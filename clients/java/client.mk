PROTOC_JAVA := 4.35.1# not later than pom.xml's protobuf-java
PROTOC_GEN_GRPC_JAVA := 1.80.0# not later than pom.xml's gRPC
JAVA_PLUGINS := .venv/java-plugins-$(PROTOC_JAVA)-$(PROTOC_GEN_GRPC_JAVA)
JAVA_OUT ?= clients/java/src/main/java
JAVA_MVN := mvn --quiet --batch-mode --file clients/java/pom.xml
JAVA_FETCH := org.apache.maven.plugins:maven-dependency-plugin:3.8.1

test-client-java: .venv/dev ## Test the Java client
	rm -rf .venv/java-generated && mkdir .venv/java-generated
	$(MAKE) --no-print-directory generate-client-java JAVA_OUT=.venv/java-generated
	diff -r .venv/java-generated/dev/trackside/v1 clients/java/src/main/java/dev/trackside/v1
	$(JAVA_MVN) verify

# grpc_tools has no generator for Java, and the imports are those that the runtime's own packages bring along.
generate-client-java: $(JAVA_PLUGINS) ## Make the Java client's generated code
	$(JAVA_PLUGINS)/protoc.exe -Iproto -I$(JAVA_PLUGINS)/include --java_out=$(JAVA_OUT) \
		--plugin=protoc-gen-grpc=$(JAVA_PLUGINS)/protoc-gen-grpc-java.exe --grpc_out=@generated=omit:$(JAVA_OUT) proto/trackside/v1/*.proto

$(JAVA_PLUGINS): clients/java/pom.xml | .venv/bin/python
	rm -rf $@ $@.part
	$(JAVA_MVN) $(JAVA_FETCH):unpack-dependencies -DincludeArtifactIds=protobuf-java,protovalidate \
		-Dmdep.unpack.includes='**/*.proto' -DoverWriteReleases=true -DoutputDirectory=$(CURDIR)/$@.part/include
	for plugin in com.google.protobuf:protoc:$(PROTOC_JAVA) io.grpc:protoc-gen-grpc-java:$(PROTOC_GEN_GRPC_JAVA); do \
		$(JAVA_MVN) $(JAVA_FETCH):copy -Dartifact=$$plugin:exe:linux-x86_64 \
			-Dmdep.stripVersion -Dmdep.stripClassifier -DoutputDirectory=$(CURDIR)/$@.part || exit; \
	done
	chmod +x $@.part/*.exe && mv $@.part $@

bench-client-java: ## Send events through the Java client; ARGS="TARGET EVENTS CALLS BATCH"
	@$(JAVA_MVN) test-compile $(JAVA_FETCH):build-classpath -Dmdep.outputFile=$(CURDIR)/clients/java/target/classpath
	@cd clients/java/target && java -cp classes:test-classes:$$(cat classpath) dev.trackside.client.Bench $(ARGS)

.PHONY: bench-client-java
