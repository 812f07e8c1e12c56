// What a driver is to do: {host, writeKey, batchSize, calls: [{call, …}]}, from standard input.
import { text } from "node:stream/consumers";

export const scenario = JSON.parse(await text(process.stdin));
