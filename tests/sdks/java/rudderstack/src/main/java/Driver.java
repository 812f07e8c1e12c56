import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.rudderstack.sdk.java.analytics.RudderAnalytics;
import com.rudderstack.sdk.java.analytics.Callback;
import com.rudderstack.sdk.java.analytics.messages.AliasMessage;
import com.rudderstack.sdk.java.analytics.messages.GroupMessage;
import com.rudderstack.sdk.java.analytics.messages.IdentifyMessage;
import com.rudderstack.sdk.java.analytics.messages.Message;
import com.rudderstack.sdk.java.analytics.messages.MessageBuilder;
import com.rudderstack.sdk.java.analytics.messages.PageMessage;
import com.rudderstack.sdk.java.analytics.messages.ScreenMessage;
import com.rudderstack.sdk.java.analytics.messages.TrackMessage;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Makes the calls on standard input with RudderStack's Java SDK, and ends when it has let go of each. */
public final class Driver {
  public static void main(String[] arguments) throws InterruptedException {
    JsonObject scenario =
        JsonParser.parseReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).getAsJsonObject();
    JsonArray calls = scenario.getAsJsonArray("calls");
    CountDownLatch pending = new CountDownLatch(calls.size());
    RudderAnalytics.Builder builder =
        RudderAnalytics.builder(scenario.get("writeKey").getAsString())
            .setDataPlaneUrl(scenario.get("host").getAsString())
            .callback(
                new Callback() {
                  @Override
                  public void success(Message message) {
                    pending.countDown();
                  }

                  @Override
                  public void failure(Message message, Throwable cause) {
                    System.err.println("gave up: " + cause);
                    pending.countDown();
                  }
                });
    if (!scenario.get("batchSize").isJsonNull()) {
      builder.flushQueueSize(scenario.get("batchSize").getAsInt());
    }
    RudderAnalytics analytics = builder.build();
    for (JsonElement call : calls) {
      try {
        analytics.enqueue(message(call.getAsJsonObject()));
      } catch (RuntimeException refusal) {
        System.err.println("refused by the SDK: " + refusal);
        pending.countDown();
      }
    }
    analytics.flush();
    if (!pending.await(180, TimeUnit.SECONDS)) {
      System.err.println("the SDK let go of " + pending.getCount() + " events without a word");
    }
    analytics.shutdown();
  }

  private static MessageBuilder<?, ?> message(JsonObject call) {
    MessageBuilder<?, ?> builder =
        switch (call.get("call").getAsString()) {
          case "identify" -> IdentifyMessage.builder().traits(object(call, "traits"));
          case "track" -> TrackMessage.builder(text(call, "event")).properties(object(call, "properties"));
          case "page" -> PageMessage.builder(text(call, "name")).properties(object(call, "properties"));
          case "screen" -> ScreenMessage.builder(text(call, "name")).properties(object(call, "properties"));
          case "group" -> GroupMessage.builder(text(call, "groupId")).traits(object(call, "traits"));
          case "alias" -> AliasMessage.builder(text(call, "previousId"));
          default -> throw new IllegalArgumentException(call.toString());
        };
    if (call.has("userId")) {
      builder.userId(text(call, "userId"));
    }
    if (call.has("anonymousId")) {
      builder.anonymousId(text(call, "anonymousId"));
    }
    if (call.has("context")) {
      builder.context(object(call, "context"));
    }
    if (call.has("integrations")) {
      object(call, "integrations").forEach((name, on) -> builder.enableIntegration(name, (Boolean) on));
    }
    return builder;
  }

  private static String text(JsonObject call, String name) {
    return call.get(name).getAsString();
  }

  private static Map<String, Object> object(JsonObject call, String name) {
    return call.has(name) ? plain(call.getAsJsonObject(name)) : Map.of();
  }

  private static Map<String, Object> plain(JsonObject object) {
    Map<String, Object> map = new LinkedHashMap<>();
    object.entrySet().forEach(member -> map.put(member.getKey(), plain(member.getValue())));
    return map;
  }

  /** What a Java program would hand over: maps, lists, strings, booleans, numbers and nulls. */
  private static Object plain(JsonElement value) {
    if (value.isJsonNull()) {
      return null;
    }
    if (value.isJsonObject()) {
      return plain(value.getAsJsonObject());
    }
    if (value.isJsonArray()) {
      List<Object> list = new ArrayList<>();
      value.getAsJsonArray().forEach(item -> list.add(plain(item)));
      return list;
    }
    if (value.getAsJsonPrimitive().isNumber()) {
      return value.getAsString().contains(".") ? (Object) value.getAsDouble() : value.getAsBigInteger();
    }
    return value.getAsJsonPrimitive().isBoolean() ? (Object) value.getAsBoolean() : value.getAsString();
  }
}
