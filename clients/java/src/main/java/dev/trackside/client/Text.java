package dev.trackside.client;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.lang.reflect.Array;
import java.util.Arrays;
import java.util.Collection;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/** The text of what a call is given. */
final class Text {
    private static final Pattern HALVES = Pattern.compile("\\p{Cs}"); // of surrogate pairs: UTF-8 does not have them
    private static final int DEEPEST = 1_000; // far more than the server takes, and less than the stack holds

    static String of(String text) {
        return text == null ? "" : HALVES.matcher(text).replaceAll("\ufffd");
    }

    /** Sets a field to the JSON text of a free-form value, unless that is null. */
    static void set(Consumer<String> field, Map<String, ?> value) {
        if (value != null) {
            field.accept(of(value));
        }
    }

    static String of(Map<String, ?> value) {
        var text = new StringWriter();
        try {
            write(new JsonWriter(text), value, 1);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return of(text.toString());
    }

    private static void write(JsonWriter json, Object value, int depth) throws IOException {
        if (depth > DEEPEST) {
            throw new IllegalArgumentException("a value nests deeper than " + DEEPEST + " levels, or holds itself");
        }
        if (value instanceof Map<?, ?> members) {
            json.beginObject();
            for (var member : members.entrySet()) {
                write(json.name((String) member.getKey()), member.getValue(), depth + 1);
            }
            json.endObject();
        } else if (value instanceof Collection<?> items) {
            json.beginArray();
            for (var item : items) {
                write(json, item, depth + 1);
            }
            json.endArray();
        } else if (value != null && value.getClass().isArray()) {
            var items = new Object[Array.getLength(value)];
            Arrays.setAll(items, i -> Array.get(value, i));
            write(json, Arrays.asList(items), depth);
        } else if (value == null || value instanceof Double number && !Double.isFinite(number)
                || value instanceof Float single && !Float.isFinite(single)) {
            json.nullValue();
        } else if (value instanceof Number number) {
            json.value(number);
        } else if (value instanceof Boolean truth) {
            json.value(truth);
        } else if (value instanceof CharSequence || value instanceof Character || value instanceof Enum) {
            json.value(value.toString());
        } else {
            throw new IllegalArgumentException(value.getClass() + " has no JSON form");
        }
    }
}
