package dev.trackside.client;

import com.google.gson.*;
import java.lang.reflect.Array;
import java.util.Collection;
import java.util.Map;
import java.util.stream.IntStream;

/** The JSON form of free-form values. */
final class Json {
    /** The form of a value at a depth. The deepest is far more than the server takes, and less than the stack holds. */
    static JsonElement of(Object value, int depth) {
        if (depth > 1_000) throw new IllegalArgumentException("a value nests too deep, or holds itself");
        if (value instanceof Map<?, ?> members) {
            var object = new JsonObject();
            members.forEach((name, member) -> object.add((String) name, of(member, depth + 1)));
            return object;
        }
        if (value instanceof Collection<?> items) {
            var array = new JsonArray(items.size());
            items.forEach(item -> array.add(of(item, depth + 1)));
            return array;
        }
        if (value == null || value instanceof Double number && !Double.isFinite(number)) return JsonNull.INSTANCE;
        if (value instanceof Float number && !Float.isFinite(number)) return JsonNull.INSTANCE;
        if (value instanceof Number number) return new JsonPrimitive(number);
        if (value instanceof Boolean truth) return new JsonPrimitive(truth);
        if (value instanceof CharSequence || value instanceof Character || value instanceof Enum)
            return new JsonPrimitive(value.toString());
        if (!value.getClass().isArray()) throw new IllegalArgumentException(value.getClass() + " has no JSON form");
        return of(IntStream.range(0, Array.getLength(value)).mapToObj(i -> Array.get(value, i)).toList(), depth);
    }
}
