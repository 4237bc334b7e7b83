/**
 * Scripts of calls of `fs.kernel.linux` by several tasks, that run on foliofs and on the host's kernel, outcome by outcome.
 *
 * The host's half is one python3 with a process for each task (linux-oracle.py), on a tmpfs of its own in a mount namespace of its own.
 * It cannot run without Linux, root, unshare(1) and python3: `missingForLinuxScripts` says what is not there.
 */
import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, type Stats } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { getSystemErrorName } from "node:util";
import { it } from "vitest";
import { createFsSync, type FolioFs } from "../../src/index.ts";
import { type Layer, overlay, type TarOptions } from "../../src/layers.ts";
import type { FlockHeld } from "../../src/node/linux/locks.ts";
import { devtmpfs } from "../../src/store.ts";
import type { Mark } from "../../src/vfs/fsnotify-mark.ts";
import { inotifyAddWatch, type Watch } from "../../src/vfs/inotify.ts";
import type { Path } from "../../src/vfs/syscalls.ts";
import type { Task } from "../../src/vfs/task.ts";

/** Bytes of an argument or an answer. */
export interface Hex {
  readonly hex: string;
}
type Arg = number | string | null | Hex;

/**
 * A call by a task: paths begin with ROOT, descriptors go by names of the script. `later` does not wait for it; `settle` gives the
 * outcome of the call that the task waits in. `ends` is set by what it has come to on foliofs.
 */
export type LinuxStep =
  | { task: number; call: string; args: readonly Arg[]; later?: boolean; ends?: boolean }
  | { settle: number; ends?: boolean };

/** Makes up a script step by step, by what the calls have come to so far. */
export type LinuxProgram = Generator<LinuxStep, void, unknown>;

export interface LinuxScript {
  /** Who the tasks are; the first is root unless it says otherwise. */
  readonly tasks: readonly { uid: number; gid: number; groups?: readonly number[] }[];
  /** Options of the tmpfs. */
  readonly mount?: string;
  readonly steps: readonly LinuxStep[];
}

const ORACLE = fileURLToPath(new URL("./linux-oracle.py", import.meta.url));
const MOUNT = 'mount -t tmpfs -o "$1" none "$2" && exec python3 "$3"';
const FIRST = { uid: 0, gid: 0 };

/** Bytes as scripts have them. */
export function hex(bytes: Uint8Array | string): Hex {
  return { hex: Buffer.from(bytes as string).toString("hex") };
}

// --- The host -----------------------------------------------------------------------------------------------------------

function runHost(mount: string, root: string, input: string): ReturnType<typeof spawnSync> {
  return spawnSync("unshare", ["-m", "sh", "-c", MOUNT, "sh", mount, root, ORACLE], {
    input,
    maxBuffer: 2 ** 26,
    timeout: 60_000,
  });
}

/** In a directory of its own, as on foliofs: `..` of it may be walked to, and has nothing else. */
function withRoot<T>(call: (root: string) => T): T {
  const outer = mkdtempSync(join(tmpdir(), "foliofs-linux-"));
  const root = join(outer, "root");
  mkdirSync(root);
  chmodSync(outer, 0o755); // tasks are of other users too
  try {
    return call(root);
  } finally {
    rmSync(outer, { recursive: true });
  }
}

/** Outcomes on the host's kernel. */
export function runOnLinux({ tasks, mount = "mode=755", steps }: LinuxScript): unknown[] {
  return withRoot((root) => {
    const { stdout, stderr, status } = runHost(mount, root, JSON.stringify({ root, tasks, steps }));
    assert.equal(status, 0, String(stderr));
    return JSON.parse(String(stdout)) as unknown[];
  });
}

function whatIsMissing(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return "needs Linux on x86-64";
  if (process.getuid?.() !== 0) return "needs root";
  const { status } = withRoot((root) => runHost("mode=755", root, '{"root":"","tasks":[],"steps":[]}'));
  return status === 0 ? undefined : "needs unshare(1) and python3";
}

export const missingForLinuxScripts = whatIsMissing();
/** A test that needs the host's kernel. */
export const itOnLinux = it.skipIf(missingForLinuxScripts !== undefined);

// --- foliofs ------------------------------------------------------------------------------------------------------------

const ROOT = "/root";
const COMMANDS: Readonly<Record<string, number>> = {
  F_GETLK: 5,
  F_SETLK: 6,
  F_SETLKW: 7,
  F_OFD_GETLK: 36,
  F_OFD_SETLK: 37,
  F_OFD_SETLKW: 38,
  F_SETPIPE_SZ: 1031,
  F_GETPIPE_SZ: 1032,
};
/** As long as the oracle waits for what will wait: turns of the loop do. */
const TURNS = 20;

function statted({ mode, nlink, uid, gid, size }: Stats): number[] {
  return [mode, nlink, uid, gid, size];
}

const THIS_CENTURY_NS = 946684800n * 10n ** 9n;

function timespec(time: Arg): bigint | "now" | "omit" {
  return time === "now" || time === "omit" ? time : BigInt(time as string);
}

/** A lock with the task that has it by its number in the script: the first is the second of the machine, which has one of its own. */
function byIndex(held: FlockHeld | undefined): FlockHeld | undefined {
  return held === undefined || held.pid <= 0 ? held : { ...held, pid: held.pid - 2 };
}

type Done<T> = (error: Error | null, result?: T) => void;

/** By callback, as calls that wait are made without a handle. */
function promised<T>(call: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => call((error, result) => (error ? reject(error) : resolve(result as T))));
}

/** One instance of inotify, with its watches by their names in the script. */
class Inotify {
  readonly #names = new Map<Mark, string>();
  readonly #cookies = [0];
  #told: unknown[] = [];
  #deliver = (): void => {};

  watch(task: Task, name: string, path: Path, mask: number): string | null {
    const watch = inotifyAddWatch(
      task,
      path,
      mask,
      (event, of, cookie) => this.#hear(watch as Watch, event, of, cookie),
      (deliver) => {
        this.#deliver = deliver;
      },
    );
    if (typeof watch === "number") return getSystemErrorName(watch);
    if (this.#names.has(watch.mark)) watch.remove();
    else this.#names.set(watch.mark, name);
    return null;
  }

  #hear({ mark }: Watch, event: number, name: Uint8Array | undefined, cookie: number): void {
    if (!this.#cookies.includes(cookie)) this.#cookies.push(cookie);
    this.#told.push([this.#names.get(mark), event, this.#cookies.indexOf(cookie), hex(name ?? "")]);
  }

  events(): unknown[] {
    this.#deliver();
    const told = this.#told;
    this.#told = [];
    return told;
  }
}

class Tasks {
  readonly #fds = new Map<string, number>();
  readonly #waiting = new Map<number, { outcome: unknown }>();
  readonly #faces: FolioFs[];
  readonly #inotify = new Inotify();

  constructor(faces: FolioFs[]) {
    this.#faces = faces;
  }

  #path(path: Arg): string | Buffer {
    if (typeof path === "string") return path.replace("ROOT", ROOT);
    return Buffer.from((path as Hex).hex, "hex");
  }
  #bytes(value: Arg): Buffer {
    return typeof value === "string" ? Buffer.from(value) : Buffer.from((value as Hex).hex, "hex");
  }
  #fd(task: number, name: Arg): number {
    return this.#fds.get(`${task} ${name}`) ?? 9999;
  }

  async step(step: LinuxStep): Promise<unknown> {
    if ("settle" in step) return this.#settle(step.settle);
    const { task, call, args, later } = step;
    if (!later) return outcomeOf(() => this.#call(task, call, args));
    const waiting: { outcome: unknown } = { outcome: "waits" };
    void outcomeOf(() => this.#call(task, call, args)).then((outcome) => {
      waiting.outcome = outcome;
    });
    this.#waiting.set(task, waiting);
    return this.#settle(task);
  }

  async #settle(task: number): Promise<unknown> {
    const waiting = this.#waiting.get(task);
    for (let i = 0; i < TURNS && waiting?.outcome === "waits"; i++) await new Promise(setImmediate);
    return waiting?.outcome;
  }

  #call(task: number, call: string, args: readonly Arg[]): unknown {
    const fs = this.#faces[task];
    if (/xattr$/.test(call)) return this.#xattr(task, call, args);
    const { linux } = fs.kernel;
    const [a, b, c] = args;
    switch (call) {
      case "open":
        return this.#open(task, a, (done) => fs.open(this.#path(b), c as number, (args[3] as number) ?? 0o666, done));
      case "close":
        fs.closeSync(this.#fd(task, a));
        this.#fds.delete(`${task} ${a}`);
        return null;
      case "rmdir":
        return fs.rmdirSync(this.#path(a));
      case "overlay":
        return fs.kernel.mount({
          type: "overlay",
          target: this.#path(b),
          data: (a as string).replaceAll("ROOT", ROOT),
        });
      case "layer":
      case "load":
      case "loadTar":
        return this.#layer(fs, call, a as string, this.#path(b) as string, c, args[3]);
      case "save":
      case "saveTar":
        return hex((this.#layers.get(this.#path(a) as string) as Layer)[call]({ format: b as TarOptions["format"] }));
      case "umount":
        return fs.kernel.umount(this.#path(a));
      case "tree":
        return this.#tree(fs, this.#path(a) as string);
      case "watch":
        return this.#inotify.watch(fs.kernel.taskOf(fs), a as string, this.#path(b), c as number);
      case "events":
        return this.#inotify.events();
      case "mkdir":
        return fs.mkdirSync(this.#path(a), b as number);
      case "mkfifo":
        return fs.mknodSync(this.#path(a), (b as number) | 0o010000);
      case "mknod":
        return fs.mknodSync(this.#path(a), b as number, c as number);
      case "chmod":
        return fs.chmodSync(this.#path(a), b as number);
      case "chown":
        return fs.chownSync(this.#path(a), b as number, c as number);
      case "symlink":
        return fs.symlinkSync(this.#path(a), this.#path(b));
      case "link":
        return fs.linkSync(this.#path(a), this.#path(b));
      case "unlink":
        return fs.unlinkSync(this.#path(a));
      case "rename":
        return fs.renameSync(this.#path(a), this.#path(b));
      case "truncate":
        return fs.truncateSync(this.#path(a), b as number);
      case "write":
        return promised<number>((done) => fs.write(this.#fd(task, a), this.#bytes(b), done));
      case "writev":
        return fs.writevSync(
          this.#fd(task, a),
          args.slice(1).map((bytes) => this.#bytes(bytes)),
        );
      case "read": {
        const buffer = Buffer.alloc(b as number);
        const read = promised<number>((done) => fs.read(this.#fd(task, a), buffer, 0, buffer.length, null, done));
        return read.then((length) => hex(buffer.subarray(0, length)));
      }
      case "utimes":
        if (b === null) return fs.utimensSync(this.#path(a), "now", "now");
        return fs.utimesSync(this.#path(a), b as number, b as number);
      case "ftruncate":
        return fs.ftruncateSync(this.#fd(task, a), b as number);
      case "fallocate":
        return fs.fallocateSync(this.#fd(task, a), b as number, c as number, args[3] as number);
      case "copy_file_range":
        return fs.copyFileRangeSync(this.#fd(task, a), null, this.#fd(task, b), null, c as number);
      case "fstat":
        return statted(fs.fstatSync(this.#fd(task, a)));
      case "stat":
        return statted(fs.statSync(this.#path(a)));
      case "chattr":
        return linux.chattr(this.#path(a), b as number);
      case "lsattr":
        return linux.lsattr(this.#path(a));
      case "openat":
        return linux
          .openat(this.#dir(task, b), this.#path(c), args[3] as number, (args[4] as number) ?? 0o666)
          .then((fd) => this.#keep(task, a, fd));
      case "mkdirat":
        return linux.mkdirat(this.#dir(task, a), this.#path(b), c as number);
      case "mknodat":
        return linux.mknodat(this.#dir(task, a), this.#path(b), c as number, args[3] as number);
      case "unlinkat":
        return linux.unlinkat(this.#dir(task, a), this.#path(b), c as number);
      case "renameat2":
      case "linkat":
        return linux[call](
          this.#dir(task, a),
          this.#path(b),
          this.#dir(task, c),
          this.#path(args[3]),
          args[4] as number,
        );
      case "symlinkat":
        return linux.symlinkat(this.#path(a), this.#dir(task, b), this.#path(c));
      case "readlinkat":
        return linux.readlinkat(this.#dir(task, a), this.#path(b), "buffer").then((target) => hex(target as Buffer));
      case "fstatat":
        return linux
          .fstatat(this.#dir(task, a), this.#path(b), c as number)
          .then((stats) => statted(stats as unknown as Stats));
      case "fchmodat":
        return linux.fchmodat(this.#dir(task, a), this.#path(b), c as number, args[3] as number);
      case "fchownat":
        return linux.fchownat(this.#dir(task, a), this.#path(b), c as number, args[3] as number, args[4] as number);
      case "faccessat":
        return linux.faccessat(this.#dir(task, a), this.#path(b), c as number);
      case "utimensat":
        return linux.utimensat(this.#dir(task, a), this.#path(b), timespec(c), timespec(args[3]), args[4] as number);
      case "times": {
        const { atimeNs, mtimeNs } = fs.lstatSync(this.#path(a), { bigint: true });
        return [atimeNs, mtimeNs].map((ns) => (ns < THIS_CENTURY_NS ? String(ns) : "now"));
      }
      case "flock":
        return linux.flock(this.#fd(task, a), b as number);
      case "fcntl": {
        const [type, whence, start, length] = args.slice(2) as number[];
        const command = COMMANDS[b as string];
        if (command > 1000) return linux.fcntl(this.#fd(task, a), command, type);
        return linux.fcntl(this.#fd(task, a), command, { type, whence, start, length }).then(byIndex);
      }
      default:
        throw new Error(`no call ${call}`);
    }
  }

  readonly #layers = new Map<string, Layer>();

  /** Mounts a layer over directories with a colon between them, `load` ones from bytes. */
  #layer(fs: FolioFs, call: "layer" | "load" | "loadTar", lowers: string, target: string, bytes: Arg, form: Arg): void {
    const options = { lower: lowers.replaceAll("ROOT", ROOT).split(":"), target };
    const { kernel } = fs;
    const make = {
      layer: () => kernel.layer(options),
      load: () => kernel.load(this.#bytes(bytes), options),
      loadTar: () => kernel.loadTar(this.#bytes(bytes), { ...options, format: form as TarOptions["format"] }),
    };
    this.#layers.set(target, make[call]());
  }

  readonly #inodes = new Map<string, number>();

  /** All that a file is: of directories without their sizes; numbers of inodes by the order in which they come up. */
  #attributes({ kernel, ...fs }: FolioFs, path: string, dev: bigint): unknown[] {
    const stats = fs.lstatSync(path, { bigint: true });
    const type = Number(stats.mode) & 0o170000;
    const what = type === 0o100000 ? fs.readFileSync(path) : type === 0o120000 ? fs.readlinkSync(path, "buffer") : null;
    const names = kernel.linux.llistxattrSync(path) as string[];
    const xattrs = names.map((name) => [name, hex(kernel.linux.lgetxattrSync(path, name) as Buffer).hex]);
    const key = `${stats.dev === dev ? "" : stats.dev} ${stats.ino}`; // the overlay's own number goes with the mount
    if (!this.#inodes.has(key)) this.#inodes.set(key, this.#inodes.size);
    return [
      ...[stats.mode, stats.nlink, stats.uid, stats.gid].map(Number),
      stats.isDirectory() ? 0 : Number(stats.size),
      stats.mtimeNs < THIS_CENTURY_NS ? String(stats.mtimeNs) : "now",
      this.#inodes.get(key),
      what === null ? null : hex(what).hex,
      xattrs.sort(([a], [b]) => (a < b ? -1 : 1)),
    ];
  }

  /** Every file below a directory, by path. */
  #tree(fs: FolioFs, path: string, dev = fs.lstatSync(path, { bigint: true }).dev): unknown[] {
    const told: unknown[] = [["", this.#attributes(fs, path, dev)]];
    for (const name of fs.readdirSync(path).sort()) {
      const below = `${path}/${name}`;
      if (!fs.lstatSync(below).isDirectory()) told.push([`/${name}`, this.#attributes(fs, below, dev)]);
      else for (const [at, of] of this.#tree(fs, below, dev) as [string, unknown][]) told.push([`/${name}${at}`, of]);
    }
    return told;
  }

  /** A directory by its name in the script, null = the working directory, which is the root of the script. */
  #dir(task: number, name: Arg): number {
    return name === null ? -100 : this.#fd(task, name);
  }
  #keep(task: number, name: Arg, fd: number): null {
    this.#fds.set(`${task} ${name}`, fd);
    return null;
  }

  async #open(task: number, name: Arg, open: (done: Done<number>) => void): Promise<null> {
    return this.#keep(task, name, await promised<number>(open));
  }

  #xattr(task: number, call: string, [target, name, value, flags]: readonly Arg[]): unknown {
    const { linux } = this.#faces[task].kernel;
    const where = /^f/.test(call) ? this.#fd(task, target) : this.#path(target);
    // biome-ignore lint/suspicious/noExplicitAny: the calls go by their names
    const make = (linux as any)[`${call}Sync`];
    if (call.includes("listxattr")) return make(where, "buffer").map(hex);
    if (call.includes("setxattr")) return make(where, this.#bytes(name), this.#bytes(value), flags);
    const result = make(where, this.#bytes(name));
    return result === undefined ? null : hex(result);
  }
}

async function outcomeOf(call: () => unknown): Promise<unknown> {
  try {
    return (await call()) ?? null;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === undefined) throw error;
    return code;
  }
}

function* stepsOf({ steps }: LinuxScript): LinuxProgram {
  yield* steps;
}

/** Outcomes on foliofs. @param look at the end, before all goes @param program in place of the steps */
export async function runOnFoliofs(
  script: LinuxScript,
  look: (fs: FolioFs) => void = () => {},
  program: LinuxProgram = stepsOf(script),
): Promise<unknown[]> {
  using top = createFsSync({ memoryLimit: 64 * 2 ** 20, types: [devtmpfs, overlay] }).kernel;
  top.fs.mkdirSync(ROOT);
  top.mount({ type: "tmpfs", target: ROOT, data: script.mount ?? "mode=755" });
  const faces = script.tasks.map((who) =>
    top.task({ umask: 0o022, cwd: ROOT, ...FIRST, ...who, groups: [...(who.groups ?? [])] }),
  );
  const tasks = new Tasks(faces);
  const outcomes: unknown[] = [];
  for (let next = program.next(); !next.done; next = program.next(outcomes.at(-1)))
    outcomes.push(await tasks.step(next.value));
  look(top.fs);
  if (process.env.FOLIOFS_BUILD !== "release") top.verify();
  return outcomes;
}

/**
 * Runs a program on foliofs, and the script that has come of it on both. What waits on foliofs may wait there, too: the host is given as
 * much time as that takes, and what has ended must have ended.
 *
 * @returns the outcomes
 */
export async function expectSameProgram(script: Omit<LinuxScript, "steps">, program: LinuxProgram): Promise<unknown[]> {
  const steps: LinuxStep[] = [];
  function* record(): LinuxProgram {
    for (let next = program.next(); !next.done; ) {
      const step = { ...next.value };
      steps.push(step);
      const outcome = yield step;
      next = program.next(outcome);
    }
  }
  const outcomes = await runOnFoliofs({ ...script, steps }, undefined, record());
  compare({ ...script, steps }, outcomes);
  return outcomes;
}

/** Two outcomes as texts; of lists that are as long, as trees are, what differs. */
function shownWithoutSame(our: unknown, their: unknown): { our: string; their: string } {
  if (!Array.isArray(our) || !Array.isArray(their) || our.length !== their.length)
    return { our: JSON.stringify(our), their: JSON.stringify(their) };
  const differs = our.map((one, i) => JSON.stringify(one) !== JSON.stringify(their[i]));
  const [shown, other] = [our, their].map((list) => JSON.stringify(list.filter((_, i) => differs[i])));
  return { our: shown, their: other };
}

/** Outcomes that differ, each with its place in the script and its call; at most 8. */
function differences({ steps }: LinuxScript, ours: readonly unknown[], theirs: readonly unknown[]): string[] {
  return steps
    .map((step, i) => ({
      step: JSON.stringify(step),
      i,
      ...shownWithoutSame(ours[i], theirs[i]),
    }))
    .filter(({ our, their }) => our !== their)
    .slice(0, 8)
    .map(
      ({ step, i, our, their }) =>
        `${i} ${step.slice(0, 300)}: foliofs ${our?.slice(0, 300)}, Linux ${their?.slice(0, 300)}`,
    );
}

/** Runs a script on the host. What has ended on foliofs may take its time there, which says nothing. */
function compare(script: LinuxScript, outcomes: readonly unknown[], hidesDirectorySizes = false): void {
  const steps = script.steps.map((step, i) => ({ ...step, ends: outcomes[i] !== "waits" }));
  const theirs = runOnLinux({ ...script, steps });
  const shown = (all: readonly unknown[]): unknown[] =>
    hidesDirectorySizes ? all.map(withoutDirectorySize) : [...all];
  assert.deepEqual(differences(script, shown(outcomes), shown(theirs)), []);
}

/** What statted() gives of a directory, without its size. */
function withoutDirectorySize(outcome: unknown): unknown {
  if (!Array.isArray(outcome) || outcome.length !== 5 || (outcome[0] & 0o170000) !== 0o040000) return outcome;
  return outcome.slice(0, 4);
}

/** Runs a script on both, and compares every outcome, sizes of directories unless they are hidden. @returns the outcomes */
export async function expectSame(script: LinuxScript, hidesDirectorySizes = false): Promise<unknown[]> {
  const outcomes = await runOnFoliofs(script);
  compare(script, outcomes, hidesDirectorySizes);
  return outcomes;
}
