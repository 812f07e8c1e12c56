// What a driver is to do: {host, writeKey, batchSize, leaves, calls: [{call, …}]}, the one line on standard input.
import { once } from "node:events";
import { createInterface } from "node:readline";

const input = createInterface({ input: process.stdin });
const ended = once(input, "close");
const [line] = await once(input, "line");
export const scenario = JSON.parse(line);

/** Waits until standard input ends: whoever runs the driver has seen enough. */
export const closed = () => ended;
