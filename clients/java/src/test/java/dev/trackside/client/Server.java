package dev.trackside.client;

import static org.junit.jupiter.api.Assertions.assertFalse;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A real server, started by clients/testdata/serve.py, whose README says what the commands do. */
final class Server implements AutoCloseable {
    static final Path PROJECT = Path.of(System.getProperty("basedir", "."));
    static final Path TESTDATA = PROJECT.resolve("../testdata");
    static final String NOWHERE = "127.0.0.1:1"; // nothing listens there

    final JsonObject ready;
    final String target;
    private final Process process;
    private final BufferedReader answers;

    Server(String... arguments) throws IOException {
        var command = new ArrayList<>(List.of(
                PROJECT.resolve("../../.venv/bin/python").toString(), TESTDATA.resolve("serve.py").toString()));
        command.addAll(List.of(arguments));
        process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        answers = process.inputReader();
        ready = answer();
        target = ready.get("target").getAsString();
    }

    JsonObject command(String name) {
        try {
            var commands = process.outputWriter();
            commands.write(name + "\n");
            commands.flush();
            return answer();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private JsonObject answer() throws IOException {
        var answer = JsonParser.parseString(answers.readLine()).getAsJsonObject();
        assertFalse(answer.has("error"), answer::toString);
        return answer;
    }

    /** What is queued, oldest first. */
    List<Map<String, Object>> records() throws IOException {
        var records = new ArrayList<Map<String, Object>>();
        for (var line : Files.readAllLines(Path.of(command("dump").get("path").getAsString()))) {
            records.add(Values.object(line));
        }
        return records;
    }

    /** The messageIds of what is queued. */
    List<String> queued() throws IOException {
        return records().stream().map(record -> (String) record.get("messageId")).toList();
    }

    @Override
    public void close() throws IOException {
        process.outputWriter().close();
        process.onExit().join();
    }
}
