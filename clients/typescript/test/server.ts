/** The real server, as clients/testdata/serve.py runs it. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { revive, type Values } from "./values.js";

export const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

type Ready = { target: string; ca: string; cert: string; key: string };

export class Server {
  ready!: Ready;
  readonly #process: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  private constructor(options: string[]) {
    this.#process = spawn(`${ROOT}.venv/bin/python`, ["clients/testdata/serve.py", ...options], {
      cwd: ROOT,
      stdio: ["pipe", "pipe", "ignore"],
    });
    this.#answers = createInterface({ input: this.#process.stdout! })[Symbol.asyncIterator]();
  }

  /** `options` are serve.py's. */
  static async start(...options: string[]): Promise<Server> {
    const server = new Server(options);
    server.ready = (await server.#answer()) as Ready;
    return server;
  }

  get target(): string {
    return this.ready.target;
  }

  async command(command: "kill" | "start" | "restart" | "pause" | "resume" | "break" | "mend" | "dump"): Promise<Values> {
    this.#process.stdin!.write(`${command}\n`);
    return this.#answer();
  }

  /** The queue's records that have a write key. */
  async records(writeKey: string): Promise<Values[]> {
    const { path } = await this.command("dump");
    const lines = readFileSync(path as string, "utf8").split("\n").filter(Boolean);
    return lines.map((line) => JSON.parse(line, revive) as Values).filter((record) => record.writeKey === writeKey);
  }

  async messageIds(writeKey: string): Promise<string[]> {
    return (await this.records(writeKey)).map(({ messageId }) => messageId as string);
  }

  async end(): Promise<void> {
    this.#process.stdin!.end();
    await once(this.#process, "exit");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }

  async #answer(): Promise<Values> {
    const { value } = await this.#answers.next();
    const answer = JSON.parse((value as string | undefined) ?? '{"error": "serve.py ended"}') as Values;
    if ("error" in answer) throw new Error(String(answer.error));
    return answer;
  }
}
