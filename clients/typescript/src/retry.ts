/** Which failed calls are made again, and after how long. */
import { durationMs, type Duration } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectError } from "@connectrpc/connect";
import { RetryInfoSchema } from "./gen/google/rpc/error_details_pb.js";

const RETRYABLE = [Code.Unavailable, Code.ResourceExhausted, Code.DeadlineExceeded, Code.Canceled];
const FIRST_MS = 100;
const LONGEST_MS = 5_000;

/** Whether the same call may succeed later. A call that ended without a single header lost its connection. */
export function isRetryable(failure: ConnectError): boolean {
  const hasNoHeader = failure.metadata.keys().next().done === true;
  return RETRYABLE.includes(failure.code) || hasNoHeader;
}

/** The delay that the server asks for with a failed call. */
export function delayOf(failure: ConnectError): Duration | undefined {
  return failure.findDetails(RetryInfoSchema)[0]?.retryDelay;
}

/** Milliseconds before the next call, where `attempt` counts resends from 0 and `delay` is the server's. */
export function waitMs(attempt: number, delay: Duration | undefined): number {
  if (delay) return durationMs(delay) * (1 + Math.random() / 5);
  return Math.min(FIRST_MS * 2 ** attempt, LONGEST_MS) * (0.5 + Math.random() / 2);
}
