/** What a stream does, as lines that two file systems can be compared by: descriptors by name, bytes by contents. */
import type { EventEmitter } from "node:events";
import { lstat } from "node:fs/promises";
import type { NodeFs } from "../../helpers/subject.ts";

type Emitter = EventEmitter;

/** After so long nothing more comes, ms: other scripts run meanwhile. */
export const QUIET_MS = 250;
/** Of those that say nothing at all. */
const MOST_MS = 5000;
const LOOK_MS = 10;

/** Calls of the host, one after the other, that all it has under way is given time for. */
const NR_ROUNDS = 8;

/** Resolves after a time in which the host has worked too: timers of a busy process come before what it has been told. */
export async function elapsed(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  for (let round = 0; round < NR_ROUNDS; round++) await lstat("/");
}

const STATES = [
  "bytesRead",
  "bytesWritten",
  "pending",
  "destroyed",
  "closed",
  "pos",
  "readableEnded",
  "writableFinished",
];

function shown(value: unknown): string {
  if (value instanceof Uint8Array) {
    const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("latin1");
    return `${value.constructor.name}(${value.length}) ${text.length > 40 ? `${text.slice(0, 20)}…${text.slice(-20)}` : text}`;
  }
  if (value instanceof Error) return errorText(value);
  if (typeof value === "string")
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…${value.length}` : value);
  return String(value);
}

/** All that is promised of an error. */
export function errorText(error: unknown): string {
  const { name, code, message, syscall, path, errno } = error as NodeJS.ErrnoException;
  return [name, code, message, syscall, path, errno].map(String).join(" | ");
}

/** Lines of one stream. */
export class Log {
  readonly lines: string[] = [];

  add(line: string, value?: unknown): void {
    this.lines.push(value === undefined ? line : `${line} ${shown(value)}`);
  }

  /** Notes a callback. */
  callback(name: string): (error?: unknown) => void {
    return (error) => this.add(`${name}()`, error ?? "ok");
  }

  /**
   * Notes events with the state at each. A descriptor is only noted to be one.
   *
   * @param unsteady what depends on how far reads have gone ahead
   */
  watch(stream: Emitter, events: readonly string[], unsteady: readonly string[] = []): void {
    for (const event of events) {
      stream.on(event, ((value: unknown) => {
        const argument = event === "open" ? typeof value : value;
        this.add(`${event} [${this.#stateOf(stream, unsteady)}]`, argument);
      }) as never);
    }
  }

  #stateOf(stream: object, unsteady: readonly string[]): string {
    const values = stream as Record<string, unknown>;
    return STATES.filter((name) => name in stream && !unsteady.includes(name))
      .map((name) => `${name}=${values[name]}`)
      .concat(`fd=${values.fd === null ? null : typeof values.fd}`)
      .join(" ");
  }
}

/** A script of one use of streams. */
export interface Script {
  readonly name: string;
  run(fs: NodeFs, root: string, log: Log): Promise<void> | void;
}

/** Runs a script. @returns its lines, with what it threw */
export async function linesOf(script: Script, fs: NodeFs, root: string): Promise<string[]> {
  const log = new Log();
  try {
    await script.run(fs, root, log);
  } catch (error) {
    log.add("threw", error instanceof Error ? errorText(error) : error);
  }
  await elapsed(5); // for what is still on its way
  return log.lines;
}

/** Resolves when a stream has closed, or when nothing more comes of one that does not close. */
export function settled(stream: Emitter): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      clearInterval(look);
      clearTimeout(most);
      resolve();
    };
    const after = (ms: number) => (): void => void elapsed(ms).then(over);
    const most = setTimeout(after(5), MOST_MS);
    // With `emitClose: false` they close without a word.
    const look = setInterval(() => {
      if (!(stream as { closed?: boolean }).closed) return;
      clearInterval(look);
      after(15)();
    }, LOOK_MS);
    stream.once("close", after(15));
    stream.once("error", after(QUIET_MS));
    stream.once("end", after(QUIET_MS));
    stream.once("finish", after(QUIET_MS));
  });
}

/** As `promise`, or "late". */
export async function soon(promise: Promise<unknown>): Promise<unknown> {
  return Promise.race([promise, elapsed(QUIET_MS).then(() => "late")]);
}

/** Whether a stream is refused for it: Node then keeps a handle open for ever. */
function isRefused(name: string, value: unknown): boolean {
  if (value === undefined || value === Number.POSITIVE_INFINITY) return false;
  if (name === "flush") return value !== null && typeof value !== "boolean";
  if (name === "signal") return !(value instanceof AbortSignal);
  if (name === "encoding") return value !== null && !Buffer.isEncoding(value as string);
  return ["start", "end"].includes(name) && !(Number.isSafeInteger(value) && (value as number) >= 0);
}

/** Options without those that are refused, for streams of handles. */
export function acceptable(options: Record<string, unknown>): Record<string, unknown> {
  const kept = Object.fromEntries(Object.entries(options).filter(([name, value]) => !isRefused(name, value)));
  if ((kept.start as number) > (kept.end as number)) delete kept.end;
  return kept;
}
