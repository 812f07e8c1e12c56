package dev.trackside.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Timestamps;
import dev.trackside.v1.Context;
import dev.trackside.v1.Event;
import java.io.IOException;
import java.nio.file.Files;
import java.text.ParseException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The vectors that all clients share: the same calls make the same records in both forms, and the same refusals. */
@Timeout(120)
class VectorsTest {
    private static final Duration LONG = Duration.ofMinutes(1);

    /** A case of vectors.json. */
    private record Vector(Map<?, ?> members, Map<?, ?> arguments) {
        String text(String name) {
            return (String) members.get(name);
        }

        String argument(String name) {
            return (String) arguments.get(name);
        }

        @SuppressWarnings("unchecked")
        Map<String, ?> object(String name) {
            return (Map<String, ?>) arguments.get(name);
        }

        @Override
        public String toString() {
            return text("name");
        }

        String send(Client client) {
            if (text("call").equals("collect")) {
                return client.collect(Event.newBuilder().setUserId(argument("user_id")));
            }
            Client.With with = event -> {
                event.setAnonymousId(arguments.containsKey("anonymous_id") ? argument("anonymous_id") : "");
                event.setMessageId(arguments.containsKey("message_id") ? argument("message_id") : "");
                if (arguments.containsKey("timestamp")) {
                    event.setTimestamp(timestamp(argument("timestamp")));
                }
                event.setContextJson(Client.json(object("context")));
                event.setIntegrationsJson(Client.json(object("integrations")));
                event.setExtraJson(Client.json(object("extra")));
            };
            var user = argument("user_id");
            return switch (text("call")) {
                case "identify" -> client.identify(user, object("traits"), with);
                case "track" -> client.track(user, argument("event"), object("properties"), with);
                case "page" -> client.page(user, argument("name"), object("properties"), with);
                case "screen" -> client.screen(user, argument("name"), object("properties"), with);
                case "group" -> client.group(user, argument("group_id"), object("traits"), with);
                case "alias" -> client.alias(user, argument("previous_id"), with);
                default -> throw new AssertionError(text("call"));
            };
        }

        /** The event as a caller builds it with a Struct for each free-form value. */
        Event.Builder inStructForm() {
            var event = Event.newBuilder();
            var kind = event.getFieldBuilder(Event.getDescriptor().findFieldByName(text("call")));
            arguments.forEach((name, value) -> {
                if (name.equals("timestamp")) {
                    event.setTimestamp(timestamp((String) value));
                } else if (name.equals("context")) {
                    assertEquals(Map.of(), value, "a context in the struct form");
                    event.setContext(Context.getDefaultInstance());
                } else {
                    var own = kind.getDescriptorForType().findFieldByName((String) name);
                    var field = own != null ? own : Event.getDescriptor().findFieldByName((String) name);
                    (own != null ? kind : event).setField(field, value instanceof Map<?, ?> map ? Values.struct(map) : value);
                }
            });
            return event;
        }
    }

    private static Timestamp timestamp(String text) {
        try {
            return Timestamps.parse(text);
        } catch (ParseException malformed) {
            throw new AssertionError(malformed);
        }
    }

    private static List<Vector> vectors(String list) {
        try {
            var all = (List<?>) Values.object(Files.readString(Server.TESTDATA.resolve("vectors.json"))).get(list);
            var vectors = new ArrayList<Vector>();
            for (var each : all) {
                var members = (Map<?, ?>) each;
                vectors.add(new Vector(members, (Map<?, ?>) Values.untagged(members.get("arguments"))));
            }
            return vectors;
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    @Test
    void callsMakeTheRecordsOfTheVectorsInTheTextFormAndInTheStructForm() throws Exception {
        var expected = new HashMap<String, Vector>();
        try (var server = new Server();
                var text = new Client(server.target, options -> options.writeKey = "text");
                var struct = new Client(server.target, options -> options.writeKey = "struct")) {
            for (var vector : vectors("calls")) {
                var messageId = vector.argument("message_id");
                assertEquals(messageId, vector.send(text));
                expected.put("text " + messageId, vector);
                if (vector.members.get("struct").equals(true)) {
                    struct.collect(vector.inStructForm());
                    expected.put("struct " + messageId, vector);
                }
            }
            assertEquals(0, text.flush(LONG) + struct.flush(LONG));
            for (var record : server.records()) {
                var name = record.remove("writeKey") + " " + record.get("messageId");
                var vector = expected.remove(name);
                record.remove("receivedAt");
                if (!vector.arguments.containsKey("timestamp")) {
                    record.remove("timestamp");
                }
                assertEquals(Values.comparable(vector.members.get("record")), Values.comparable(record), name);
            }
        }
        assertEquals(Map.of(), expected, "not queued");
    }

    static Stream<Vector> foundByTheClient() {
        return vectors("refusals").stream().filter(vector -> vector.text("found").equals("client"));
    }

    @ParameterizedTest
    @MethodSource("foundByTheClient")
    void anEventThatBreaksARuleIsRefusedInTheCall(Vector vector) {
        var results = new Results();
        try (var client = new Client(Server.NOWHERE, results::listen)) {
            assertEquals(List.of(vector.send(client)), results.notAccepted);
            assertEquals(vector.text("reason"), results.refused.get(0).getReason().name());
            assertEquals(vector.text("field"), results.refused.get(0).getField());
        }
    }

    @Test
    void whatOnlyTheServerCanRefuseComesToTheSameCallback() throws Exception {
        var results = new Results();
        var vectors = vectors("refusals").stream().filter(vector -> vector.text("found").equals("server")).toList();
        assertFalse(vectors.isEmpty());
        try (var server = new Server(); var client = new Client(server.target, options -> {
            results.listen(options);
            options.writeKey = "k";
        })) {
            var sent = vectors.stream().map(vector -> vector.send(client)).toList();
            assertEquals(0, client.flush(LONG));
            assertEquals(sent, results.notAccepted);
            for (int i = 0; i < sent.size(); i++) {
                var why = results.refused.get(i);
                assertEquals(vectors.get(i).text("reason"), why.getReason().name());
                assertEquals(vectors.get(i).text("field"), why.getField());
                assertFalse(why.getDescription().isEmpty());
            }
            assertTrue(server.records().isEmpty());
        }
    }
}
