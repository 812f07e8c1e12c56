package dev.trackside.client;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.Durations;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

/** Which failed calls are made again, and after how long. */
final class Retry {
    private static final Set<Status.Code> RETRYABLE = Set.of(Status.Code.UNAVAILABLE, Status.Code.RESOURCE_EXHAUSTED,
            Status.Code.DEADLINE_EXCEEDED, Status.Code.CANCELLED);
    // What grpc-java writes into the status of a call whose connection broke, whatever the code.
    private static final Pattern CUT_OFF = Pattern.compile("RST_STREAM|unexpected EOS|channel closed|http2 exception");
    private static final long FIRST_NANOS = 100_000_000L;
    private static final long LONGEST_NANOS = 5_000_000_000L;

    private Retry() {}

    /** Whether the same call may succeed later. */
    static boolean isRetryable(Status failure) {
        var description = failure.getDescription();
        return RETRYABLE.contains(failure.getCode()) || description != null && CUT_OFF.matcher(description).find();
    }

    /** The delay in nanoseconds that the server asks for with a failed call, or 0. */
    static long delayOf(StatusRuntimeException failure) {
        var status = StatusProto.fromThrowable(failure);
        if (status == null) {
            return 0;
        }
        for (var detail : status.getDetailsList()) {
            if (detail.is(RetryInfo.class)) {
                try {
                    return Durations.toNanos(detail.unpack(RetryInfo.class).getRetryDelay());
                } catch (InvalidProtocolBufferException malformed) {
                    return 0;
                }
            }
        }
        return 0;
    }

    /** How many nanoseconds to wait before the next call. Resends count from 0; the delay is the server's, or 0. */
    static long waitBefore(int resend, long delay) {
        var random = ThreadLocalRandom.current();
        if (delay > 0) {
            return delay + random.nextLong(delay / 5 + 1);
        }
        long wait = Math.min(FIRST_NANOS << Math.min(resend, 6), LONGEST_NANOS);
        return wait / 2 + random.nextLong(wait / 2);
    }
}
