/** Sends events to Trackside over gRPC. `Client` is where to start. */
export { Code } from "@connectrpc/connect";
export { Closed, QueueFull } from "./batcher.js";
export { Client } from "./client.js";
export type { Common, Json } from "./events.js";
export type { Lost, Options, Tls } from "./options.js";
export { Reason, type Refusal } from "./gen/trackside/v1/collector_service_pb.js";
export { ContextSchema, type Context } from "./gen/trackside/v1/context_pb.js";
export { EventSchema, type Event } from "./gen/trackside/v1/event_pb.js";
