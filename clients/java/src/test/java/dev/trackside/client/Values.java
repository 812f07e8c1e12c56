package dev.trackside.client;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.ToNumberPolicy;
import com.google.gson.reflect.TypeToken;
import com.google.protobuf.ListValue;
import com.google.protobuf.NullValue;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** JSON values as Java has them: Map, List, String, Boolean, null, and Long or Double. */
final class Values {
    private static final Gson GSON =
            new GsonBuilder().setObjectToNumberStrategy(ToNumberPolicy.LONG_OR_DOUBLE).create();

    static Map<String, Object> object(String text) {
        return GSON.fromJson(text, new TypeToken<Map<String, Object>>() {});
    }

    /** A value without the tags that clients/testdata/README.md describes. */
    static Object untagged(Object value) {
        if (value instanceof List<?> list) {
            var items = new ArrayList<Object>();
            list.forEach(item -> items.add(untagged(item)));
            return items;
        }
        if (!(value instanceof Map<?, ?> map)) {
            return value;
        }
        if (map.size() == 1) {
            var tag = map.entrySet().iterator().next();
            var given = tag.getValue();
            switch ((String) tag.getKey()) {
                case "$integer":
                    return new BigInteger((String) given);
                case "$number":
                    return Double.valueOf((String) given);
                case "$nest":
                    return nest((Long) given);
                case "$repeat":
                    var repeated = (List<?>) given;
                    return ((String) repeated.get(0)).repeat(((Long) repeated.get(1)).intValue());
                case "$half":
                    return given + "\ud83d";
                default:
            }
        }
        var members = new LinkedHashMap<String, Object>();
        map.forEach((name, member) -> members.put((String) name, untagged(member)));
        return members;
    }

    private static Map<String, Object> nest(long levels) {
        return levels == 1 ? Map.of() : Map.of("a", nest(levels - 1));
    }

    /** A value without its tags, and with numbers that are equal where JSON's are. */
    static Object comparable(Object value) {
        var plain = untagged(value);
        if (plain instanceof List<?> list) {
            return new ArrayList<>(list.stream().map(Values::comparable).toList());
        }
        if (plain instanceof Map<?, ?> map) {
            var members = new LinkedHashMap<Object, Object>();
            map.forEach((name, member) -> members.put(name, comparable(member)));
            return members;
        }
        return plain instanceof Number number ? new BigDecimal(number.toString()).stripTrailingZeros() : plain;
    }

    static Struct struct(Map<?, ?> members) {
        var struct = Struct.newBuilder();
        members.forEach((name, member) -> struct.putFields((String) name, value(member)));
        return struct.build();
    }

    private static Value value(Object plain) {
        var value = Value.newBuilder();
        if (plain instanceof Map<?, ?> members) {
            value.setStructValue(struct(members));
        } else if (plain instanceof List<?> items) {
            var list = ListValue.newBuilder();
            items.forEach(item -> list.addValues(value(item)));
            value.setListValue(list);
        } else if (plain instanceof String text) {
            value.setStringValue(text);
        } else if (plain instanceof Boolean truth) {
            value.setBoolValue(truth);
        } else if (plain instanceof Number number) {
            value.setNumberValue(number.doubleValue());
        } else {
            value.setNullValue(NullValue.NULL_VALUE);
        }
        return value.build();
    }
}
