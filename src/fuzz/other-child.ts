/**
 * The fuzzer's end of a process that runs programs on a file system of others: how it is started, and what is heard of it.
 *
 * Does not own: what its end means for the program under way (isolated-subject.ts).
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { LineReader } from "./lines.ts";
import { OTHER_FD, type OtherMessage, type OtherRequest, type OtherSetup } from "./other-protocol.ts";

/** What the process says, or how it has ended: after that nothing is heard. */
export type Heard = OtherMessage | { readonly ended: string };

/** Of Node's own options, those that a file system may need. */
const PASSED_ON = ["--experimental-vfs"];
/** No core is dumped where V8 gives up. */
const SHELL = 'ulimit -c 0; exec "$0" "$@"';
const isWindows = process.platform === "win32";

/** In a session of its own: Ctrl-C is for the fuzzer alone. */
function spawnOther(program: URL, setup: OtherSetup, maxHeapMb: number): ChildProcess {
  const options = [
    ...PASSED_ON.filter((option) => process.execArgv.includes(option)),
    `--max-old-space-size=${maxHeapMb}`,
  ];
  const command = [process.execPath, ...options, fileURLToPath(program), JSON.stringify(setup)];
  const [file, ...args] = isWindows ? command : ["sh", "-c", SHELL, ...command];
  return spawn(file, args, { stdio: ["pipe", "ignore", "pipe", "pipe"], detached: !isWindows, windowsHide: true });
}

export class OtherChild {
  /** Whoever waits for it now. */
  hear: (heard: Heard) => void = () => {};
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  /** The exception that it ends by. */
  #thrown: string | undefined;
  #complaint = "";

  constructor(program: URL, setup: OtherSetup, maxHeapMb: number) {
    const child = spawnOther(program, setup, maxHeapMb);
    const lines = new LineReader();
    child.stdin?.on("error", () => {}); // who has ended is heard of below
    child.stderr?.on("data", (bytes: Buffer) => {
      this.#complaint += bytes;
    });
    (child.stdio[OTHER_FD] as Readable).on("data", (bytes: Buffer) => {
      for (const line of lines.read(bytes)) {
        const message = JSON.parse(line) as OtherMessage;
        if ("thrown" in message) this.#thrown = message.thrown;
        else this.hear(message);
      }
    });
    this.#process = child;
    this.#ended = new Promise((resolve) => {
      const end = (how: string): void => {
        this.hear({ ended: this.#thrown ?? how });
        this.hear = () => {};
        resolve();
      };
      child.once("error", ({ message }) => end(message));
      child.once("close", (status, signal) => end(signal ?? `status ${status}`));
    });
  }

  /** Loading may take as long as it takes. @throws Error when it ends instead */
  async load(): Promise<void> {
    const heard = await new Promise<Heard>((resolve) => {
      this.hear = resolve;
    });
    if ("ended" in heard) throw new Error(this.#thrown ?? `${heard.ended}: ${this.#complaint}`);
    this.#process.stderr?.removeAllListeners("data").resume();
  }

  ask(request: OtherRequest): void {
    this.#process.stdin?.write(`${JSON.stringify(request)}\n`);
  }

  /** Ends it whatever it is at. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#ended;
  }
}
