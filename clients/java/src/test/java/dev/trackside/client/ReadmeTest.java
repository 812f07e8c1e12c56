package dev.trackside.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Message;
import io.grpc.Status;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the README tells a new user to do. */
@Timeout(60)
class ReadmeTest {
    private static String example(String language) throws Exception {
        var block = Pattern.compile("(?s)```" + language + "\n(.*?)```")
                .matcher(Files.readString(Server.PROJECT.resolve("README.md")));
        assertTrue(block.find());
        return block.group(1);
    }

    @Test
    void theProgramSendsItsEventAndPrintsThatItWasAccepted(@TempDir Path directory) throws Exception {
        var classes = Stream.of(Client.class, Message.class, Status.class)
                .map(each -> each.getProtectionDomain().getCodeSource().getLocation().getPath())
                .collect(Collectors.joining(File.pathSeparator));
        try (var server = new Server()) {
            var source = directory.resolve("Example.java");
            Files.writeString(source, example("java").replace("localhost:50051", server.target));
            assertEquals(0, ToolProvider.getSystemJavaCompiler().run(null, null, null, "-cp", classes, source.toString()));
            var printed = new ByteArrayOutputStream();
            var before = System.out;
            System.setOut(new PrintStream(printed, true));
            try (var loader = new URLClassLoader(new URL[] {directory.toUri().toURL()}, Client.class.getClassLoader())) {
                loader.loadClass("Example").getMethod("main", String[].class).invoke(null, (Object) new String[0]);
            } finally {
                System.setOut(before);
            }
            var record = server.records().get(0);
            assertEquals("accepted " + record.get("messageId") + System.lineSeparator(), printed.toString());
            assertEquals("Order Completed", record.get("event"));
            assertEquals(Map.of("total", 12.5), record.get("properties"));
            assertEquals("my-key", record.get("writeKey"));
        }
    }

    @Test
    void theDependencyIsThisVersion() throws Exception {
        var pom = Files.readString(Server.PROJECT.resolve("pom.xml")).replaceAll("\\s", "");
        var own = example("xml").replaceAll("\\s", "").replaceAll(".*<dependency>|</dependency>.*", "");
        assertTrue(pom.contains(own), own);
    }
}
