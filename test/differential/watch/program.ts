/**
 * Random programs that watch what they do: calls one after the other, and after each what watchers have told of it.
 *
 * inotify merges what has not been read yet, so how fast one reads would show: all that is to come is waited for between
 * two calls.
 */
import type * as NodeFs from "node:fs";
import fc from "fast-check";

type Fs = typeof NodeFs;

export type Step =
  | { readonly call: "watch"; readonly path: string; readonly recursive: boolean; readonly encoding: string }
  | { readonly call: "close" | "closeFd" | "writeFd" | "ftruncate" | "fchmod"; readonly which: number }
  | { readonly call: "open"; readonly path: string; readonly flags: string }
  | { readonly call: "rename" | "link" | "symlink" | "copyFile"; readonly path: string; readonly to: string }
  | { readonly call: Plain; readonly path: string };

const PLAIN = [
  "writeFile",
  "writeFile", // twice as often as others
  "appendFile",
  "truncate",
  "chmod",
  "chown",
  "utimes",
  "lutimes",
  "unlink",
  "mkdir",
  "rmdir",
  "rm",
] as const;
type Plain = (typeof PLAIN)[number];

const PATHS = ["a", "b", "d", "d/a", "d/b", "d/e", "d/e/a", "s", "d/ü", "."];

const path = fc.constantFrom(...PATHS);
const which = fc.nat(3);

/** @param isFollowed trees are watched, copied to and removed, too: older versions of Node go about these in other ways */
export function steps(isFollowed: boolean): fc.Arbitrary<Step> {
  const plain = isFollowed ? PLAIN : PLAIN.filter((call) => call !== "rm");
  const watch = fc.record({
    call: fc.constant("watch" as const),
    path,
    recursive: isFollowed ? fc.boolean() : fc.constant(false),
    encoding: fc.constantFrom("utf8", "utf8", "buffer", "hex", "latin1"),
  });
  return fc.oneof(
    { weight: 3, arbitrary: watch },
    { weight: 1, arbitrary: fc.record({ call: fc.constantFrom("close" as const, "closeFd" as const), which }) },
    {
      weight: 3,
      arbitrary: fc.record({
        call: fc.constantFrom("writeFd" as const, "ftruncate" as const, "fchmod" as const),
        which,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ call: fc.constant("open" as const), path, flags: fc.constantFrom("r+", "w", "a", "wx") }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        call: fc.constantFrom(
          "rename" as const,
          "link" as const,
          "symlink" as const,
          isFollowed ? "copyFile" : "rename",
        ),
        path,
        to: path,
      }),
    },
    { weight: 14, arbitrary: fc.record({ call: fc.constantFrom(...plain), path }) },
  );
}

const ON_FD = {
  writeFd: (fs: Fs, fd: number) => void fs.writeSync(fd, "more"),
  ftruncate: (fs: Fs, fd: number) => fs.ftruncateSync(fd, 1),
  fchmod: (fs: Fs, fd: number) => fs.fchmodSync(fd, 0o600),
};

const ON_PATH: Record<Plain, (fs: Fs, path: string) => void> = {
  writeFile: (fs, path) => fs.writeFileSync(path, "text"),
  appendFile: (fs, path) => fs.appendFileSync(path, "text"),
  truncate: (fs, path) => fs.truncateSync(path, 2),
  chmod: (fs, path) => fs.chmodSync(path, 0o755),
  chown: (fs, path) => fs.chownSync(path, 0, 0),
  utimes: (fs, path) => fs.utimesSync(path, 1, 2),
  lutimes: (fs, path) => fs.lutimesSync(path, 1, 2),
  unlink: (fs, path) => fs.unlinkSync(path),
  mkdir: (fs, path) => fs.mkdirSync(path),
  rmdir: (fs, path) => fs.rmdirSync(path),
  rm: (fs, path) => fs.rmSync(path, { recursive: true }),
};

/** Turns of the event loop in which all that has happened is told, and what listeners find out by that. */
const TURNS = 3;

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Whose listeners run at present, for what they throw. */
let current: WatchRun | undefined;

/**
 * Node's watcher of a tree throws what goes wrong while it looks, where ours emits "error": both are noted as errors.
 *
 * @returns puts back who was told of such errors before
 */
export function noteUncaught(): () => void {
  const before = process.listeners("uncaughtException");
  const note = (error: Error): void => current?.note(`error ${error.message}`);
  process.removeAllListeners("uncaughtException").on("uncaughtException", note);
  return () => {
    process.removeListener("uncaughtException", note);
    for (const listener of before) process.on("uncaughtException", listener);
  };
}

/** A run of one program. */
export class WatchRun {
  readonly #fs: Fs;
  readonly #root: string;
  readonly #log: string[] = [];
  readonly #watchers: NodeFs.FSWatcher[] = [];
  readonly #fds: number[] = [];

  /** @param root an empty directory */
  constructor(fs: Fs, root: string) {
    this.#fs = fs;
    this.#root = root;
  }

  note(line: string): void {
    this.#log.push(`  ${line}`);
  }

  /** @returns one line for each call, and one for each event behind it */
  async run(program: readonly Step[]): Promise<string[]> {
    current = this;
    try {
      for (const step of program) {
        this.#log.push(`${JSON.stringify(step)}: ${this.#outcome(step)}`);
        for (let i = 0; i < TURNS; i++) await turn();
      }
      return [...this.#log];
    } finally {
      for (const watcher of this.#watchers) watcher.close();
      for (const fd of this.#fds.splice(0)) this.#fs.closeSync(fd);
    }
  }

  #outcome(step: Step): string {
    try {
      this.#perform(step);
      return "done";
    } catch (error) {
      const { code, message, syscall, path, filename } = error as Error & Record<string, unknown>;
      return [code, message, syscall, path, filename].join(" | ");
    }
  }

  #at(path: string): string {
    return path === "." ? this.#root : `${this.#root}/${path}`;
  }

  #perform(step: Step): void {
    const fs = this.#fs;
    if (step.call === "watch") this.#watch(step.path, step.recursive, step.encoding as BufferEncoding);
    else if (step.call === "close") this.#watchers[step.which]?.close();
    else if (step.call === "closeFd") for (const fd of this.#fds.splice(step.which, 1)) fs.closeSync(fd);
    else if (step.call === "open") this.#fds.push(fs.openSync(this.#at(step.path), step.flags));
    else if ("which" in step) this.#onFd(step.which, ON_FD[step.call]);
    else if ("to" in step) fs[`${step.call}Sync`](this.#at(step.path), this.#at(step.to));
    else this.#plain(step.call, this.#at(step.path));
  }

  #plain(call: Plain, path: string): void {
    if (path === this.#root && (call === "rm" || call === "rmdir")) return; // the rest of the program would do nothing
    ON_PATH[call](this.#fs, path);
  }

  #onFd(which: number, call: (fs: Fs, fd: number) => void): void {
    if (this.#fds[which] !== undefined) call(this.#fs, this.#fds[which]);
  }

  #watch(path: string, recursive: boolean, encoding: BufferEncoding): void {
    const number = this.#watchers.length;
    const tell = (what: string): void => this.note(`watcher ${number}: ${what}`);
    const watcher = this.#fs.watch(this.#at(path), { recursive, encoding }, (eventType, filename) => {
      tell(
        `${eventType} ${typeof filename === "string" ? filename : `bytes ${Buffer.from(filename as never).toString("hex")}`}`,
      );
    });
    watcher.on("close", () => tell("close"));
    watcher.on("error", (error) => this.note(`error ${error.message}`));
    this.#watchers.push(watcher);
  }
}
