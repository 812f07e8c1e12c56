JAVA_MVN := mvn --quiet --batch-mode --file clients/java/pom.xml
JAVA_CLASSPATH := org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath -Dmdep.outputFile=$(CURDIR)/clients/java/target/classpath

# Maven makes the generated code too, under target/.
test-client-java: .venv/dev ## Test the Java client
	$(JAVA_MVN) verify

bench-client-java: ## Send events through the Java client; ARGS="TARGET EVENTS CALLS BATCH"
	@$(JAVA_MVN) test-compile $(JAVA_CLASSPATH)
	@cd clients/java/target && java -cp classes:test-classes:$$(cat classpath) dev.trackside.client.Bench $(ARGS)

.PHONY: bench-client-java
