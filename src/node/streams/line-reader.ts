/**
 * Lines of a readable stream, where there is no `node:readline`: as its Interface, as far as `FileHandle.readLines` is
 * read from. A line ends by LF, CR or CR LF, however the stream is cut.
 */
import type { LibraryStream } from "./library.ts";

type Emit = (event: string, ...args: unknown[]) => unknown;

const END_OF_LINE = /\r\n|\n|\r|\u2028|\u2029/;

/** Cuts text that comes in pieces into lines. */
class LineCutter {
  #rest = "";

  /** @returns lines that have ended */
  push(text: string): string[] {
    const all = this.#rest + text;
    // A CR at the end may be half of a CR LF.
    const end = all.endsWith("\r") ? all.length - 1 : all.length;
    const lines = all.slice(0, end).split(END_OF_LINE);
    this.#rest = (lines.pop() as string) + all.slice(end);
    return lines;
  }

  /** @returns the last line, if it has no end, or has only now come to it */
  end(): string[] {
    const lines = this.#rest.split(END_OF_LINE);
    this.#rest = "";
    if (lines[lines.length - 1] === "") lines.pop();
    return lines;
  }
}

/** What has been emitted and will be, for an iterator. */
class LineQueue {
  readonly #close: () => void;
  readonly #lines: string[] = [];
  #waiting: { resolve(result: IteratorResult<string>): void; reject(error: unknown): void }[] = [];
  #hasEnded = false;
  #error: unknown;

  constructor(close: () => void) {
    this.#close = close;
  }

  push(line: string): void {
    const first = this.#waiting.shift();
    if (first === undefined) this.#lines.push(line);
    else first.resolve({ value: line, done: false });
  }

  end(error?: unknown): void {
    this.#hasEnded = true;
    this.#error ??= error;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) void this.next().then(one.resolve, one.reject);
  }

  get length(): number {
    return this.#lines.length;
  }

  next(): Promise<IteratorResult<string>> {
    const line = this.#lines.shift();
    if (line !== undefined) return Promise.resolve({ value: line, done: false });
    if (!this.#hasEnded) return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
    if (this.#error === undefined) return Promise.resolve({ value: undefined, done: true });
    const error = this.#error;
    this.#error = undefined;
    return Promise.reject(error);
  }

  return(): Promise<IteratorResult<string>> {
    this.#close();
    return Promise.resolve({ value: undefined, done: true });
  }
}

/** Lines that may wait for their reader before the stream is paused. */
const MAX_QUEUED_LINES = 1024;

/** What lines are read from. */
export interface Input extends LibraryStream {
  setEncoding(encoding: string): unknown;
  pause(): unknown;
  resume(): unknown;
}

/** A reader of lines. It closes when its input ends. */
export interface LineReader extends AsyncIterable<string> {
  readonly closed: boolean;
  pause(): this;
  resume(): this;
  close(): void;
}

/** @param Emitter the class of emitters that the stream library stands on */
export function lineReaderClass(
  Emitter: new () => { emit: Emit; on: LibraryStream["on"] },
): new (
  input: Input,
) => LineReader {
  return class Interface extends Emitter {
    readonly input: Input;
    closed = false;
    #queue: LineQueue | undefined;

    constructor(input: Input) {
      super();
      this.input = input;
      const cutter = new LineCutter();
      input.setEncoding("utf8");
      const emitAll = (lines: string[]): void => {
        for (const line of lines) this.#emitLine(line);
      };
      input.on("data", ((text: string) => emitAll(cutter.push(text))) as never);
      input.on("end", () => {
        emitAll(cutter.end());
        this.close();
      });
      input.on("error", ((error: unknown) => {
        this.#queue?.end(error);
        this.emit("error", error);
      }) as never);
    }

    #emitLine(line: string): void {
      this.#queue?.push(line);
      if ((this.#queue?.length ?? 0) > MAX_QUEUED_LINES) this.pause();
      this.emit("line", line);
    }

    pause(): this {
      this.input.pause();
      this.emit("pause");
      return this;
    }

    resume(): this {
      this.input.resume();
      this.emit("resume");
      return this;
    }

    close(): void {
      if (this.closed) return;
      this.closed = true;
      this.input.pause();
      this.#queue?.end();
      this.emit("close");
    }

    [Symbol.asyncIterator](): AsyncIterableIterator<string> {
      this.#queue ??= new LineQueue(() => this.close());
      const queue = this.#queue;
      return {
        next: () => {
          if (queue.length === 0 && !this.closed) this.input.resume();
          return queue.next();
        },
        return: () => queue.return(),
        [Symbol.asyncIterator]() {
          return this;
        },
      };
    }
  };
}
