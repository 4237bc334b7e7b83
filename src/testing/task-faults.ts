/**
 * Faults of a foliofs face: the system calls of its task are taken in hand while there are faults, so that rules reach whatever makes
 * them (readFile, streams, cp, rm). A task without faults has its class's methods, and pays nothing.
 *
 * Calls that file systems make on behalf of a call are theirs, and not looked at.
 */
import { EAGAIN, EOPNOTSUPP } from "../base/errno.ts";
import { AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW, F_OK } from "../base/stat-flags.ts";
import { decodeUtf8 } from "../node/encoding.ts";
import { invalidStateError } from "../node/errors.ts";
import { resolvePath } from "../node/paths.ts";
import type { Path, Syscalls } from "../vfs/syscalls.ts";
import type { Task } from "../vfs/task.ts";
import { DecidedCalls } from "./decided-calls.ts";
import type { CallName, FaultCall } from "./fault-call.ts";
import type { Faults } from "./faults.ts";

// biome-ignore lint/suspicious/noExplicitAny: system calls of all kinds go the same way
type AnyCall = (...args: any[]) => any;
type CallsByName = Record<string, AnyCall | undefined>;

/** Ways round the calls by name, which answer that there are none: same result. */
const SHORTCUTS = ["findSmall", "readv", "removeTree", "writeText", "writev"] as const satisfies (keyof Syscalls)[];

/** Calls of which a number of bytes is an argument: its place. */
const LENGTH_AT: Partial<Record<keyof Syscalls, number>> = {
  read: 3,
  write: 3,
  copyFileRange: 4,
};

/** Tasks with faults. */
const inUse = new WeakSet<Task>();

class TaskFaults {
  readonly #task: Task;
  readonly #faults: Faults;
  /** Where descriptors have been opened. */
  readonly #paths = new Map<number, string>();
  readonly #decided = new DecidedCalls();
  readonly #replaced: string[] = [];
  #isWithin = false;

  constructor(task: Task, faults: Faults) {
    this.#task = task;
    this.#faults = faults;
    this.#install();
  }

  uninstall(): void {
    for (const name of this.#replaced) delete (this.#task as unknown as CallsByName)[name];
  }

  #replace(name: keyof Syscalls, call: AnyCall): void {
    Object.defineProperty(this.#task, name, { value: call, configurable: true, enumerable: true });
    this.#replaced.push(name);
  }

  /** @param describe what the call is about, from its arguments */
  #hook(name: keyof Syscalls, describe: (...args: never[]) => FaultCall): void {
    const original = (this.#task[name] as AnyCall).bind(this.#task);
    this.#replace(name, (...args) => {
      if (this.#isWithin) return original(...args);
      return this.#make(name, (describe as AnyCall)(...args), args, original);
    });
  }

  #onPath(name: keyof Syscalls, call: CallName): void {
    this.#hook(name, (path: Path) => ({ call, path: this.#absolute(path) }));
  }

  #onFd(name: keyof Syscalls, call: CallName): void {
    this.#hook(name, (fd: number) => this.#ofFd(call, fd));
  }

  #onTwoPaths(name: keyof Syscalls, call: CallName): void {
    this.#hook(name, (path: Path, dest: Path) => ({ call, path: this.#absolute(path), dest: this.#absolute(dest) }));
  }

  #install(): void {
    const task = this.#task;
    for (const name of SHORTCUTS) {
      const original = (task[name] as AnyCall).bind(task);
      this.#replace(name, (...args) => (this.#isWithin ? original(...args) : -EOPNOTSUPP));
    }
    this.#hookPaths();
    this.#hookDescriptors();
    this.#hook("sync", () => ({ call: "sync" }));
    const exists = task.exists.bind(task);
    this.#replace("exists", (path: Path) => {
      if (this.#isWithin) return exists(path);
      const rc = task.access(path, F_OK);
      return rc === -EAGAIN && this.#isWaiting() ? undefined : rc === 0;
    });
  }

  #hookPaths(): void {
    this.#onPath("open", "open");
    this.#onPath("access", "access");
    this.#onPath("chdir", "chdir");
    this.#onPath("mkdir", "mkdir");
    this.#onPath("mknod", "mknod");
    this.#onPath("readdir", "scandir");
    this.#onPath("readlink", "readlink");
    this.#onPath("realpath", "realpath");
    this.#onPath("rmdir", "rmdir");
    this.#onPath("statfs", "statfs");
    this.#onPath("truncate", "ftruncate");
    this.#onPath("unlink", "unlink");
    this.#onPath("chmod", "chmod");
    this.#onTwoPaths("link", "link");
    this.#onTwoPaths("rename", "rename");
    this.#onTwoPaths("renameat2", "rename");
    this.#hook("symlink", (_target: Path, path: Path) => ({ call: "symlink", path: this.#absolute(path) }));
    const byFlags = (flags: number, call: CallName, ofLink: CallName): CallName =>
      flags & AT_SYMLINK_NOFOLLOW ? ofLink : call;
    this.#hook("stat", (path: Path, flags: number) => ({
      call: byFlags(flags, "stat", "lstat"),
      path: this.#absolute(path),
    }));
    this.#hook("chown", (path: Path, _uid: number, _gid: number, flags: number) => ({
      call: byFlags(flags, "chown", "lchown"),
      path: this.#absolute(path),
    }));
    this.#hook("utimens", (path: Path, _as: number, _an: number, _ms: number, _mn: number, flags: number) => ({
      call: byFlags(flags, "utime", "lutime"),
      path: this.#absolute(path),
    }));
    this.#hook("openat", (dir: number, path: Path) => ({ call: "open", path: this.#below(dir, path) }));
    this.#hook("unlinkat", (dir: number, path: Path, flags: number) => ({
      call: flags & AT_REMOVEDIR ? "rmdir" : "unlink",
      path: this.#below(dir, path),
    }));
  }

  #hookDescriptors(): void {
    this.#onFd("close", "close");
    this.#onFd("fchmod", "fchmod");
    this.#onFd("fchown", "fchown");
    this.#onFd("fdatasync", "fdatasync");
    this.#onFd("flock", "flock");
    this.#onFd("fstat", "fstat");
    this.#onFd("fsync", "fsync");
    this.#onFd("ftruncate", "ftruncate");
    this.#onFd("futimens", "futime");
    this.#onFd("getdents", "scandir");
    this.#onFd("lseek", "lseek");
    for (const call of ["read", "write"] as const)
      this.#hook(call, (fd: number, _buffer: Uint8Array, _offset: number, length: number) => ({
        ...this.#ofFd(call, fd),
        length,
      }));
    this.#hook("fallocate", (fd: number, _mode: number, _offset: number, length: number) => ({
      ...this.#ofFd("fallocate", fd),
      length,
    }));
    const copy =
      (call: CallName) =>
      (from: number, _at: number, to: number, _to: number, length: number): FaultCall => {
        const [{ path }, { path: dest }] = [this.#ofFd(call, from), this.#ofFd(call, to)];
        return { call, ...(path !== undefined && { path }), ...(dest !== undefined && { dest }), fd: to, length };
      };
    this.#hook("copyFileRange", copy("copy_file_range"));
    this.#hook("cloneFileRange", copy("ficlone"));
  }

  // --- What calls are about -----------------------------------------------------------------------------------------------

  #absolute(path: Path): string {
    const text = typeof path === "string" ? path : decodeUtf8(path);
    if (text.startsWith("/")) return resolvePath("/", text);
    const cwd = this.#task.getcwd();
    return resolvePath(typeof cwd === "number" ? "/" : decodeUtf8(cwd), text);
  }

  #below(dir: number, path: Path): string {
    const text = typeof path === "string" ? path : decodeUtf8(path);
    return resolvePath(this.#paths.get(dir) ?? "/", text);
  }

  #ofFd(call: CallName, fd: number): FaultCall {
    const path = this.#paths.get(fd);
    return path === undefined ? { call, fd } : { call, path, fd };
  }

  // --- Making them --------------------------------------------------------------------------------------------------------

  #make(name: keyof Syscalls, call: FaultCall, args: unknown[], original: AnyCall): unknown {
    const { wait } = this.#task.kernel;
    const known = this.#decided.take(wait, call);
    const decision = known ?? this.#faults.decide(call);
    if (decision.wait !== undefined && wait !== undefined) {
      this.#decided.keep(wait, call, decision);
      return this.#waitFor(decision.wait);
    }
    const { errno, most } = decision;
    const isShort = LENGTH_AT[name] !== undefined && most < (call.length ?? 0);
    // A descriptor is closed whatever close(2) answers.
    let result =
      errno !== 0 && name !== "close" ? -errno : this.#call(original, isShort ? cut(name, args, most) : args);
    if (wait !== undefined && result === -EAGAIN && errno === 0 && this.#isWaiting()) {
      this.#decided.keep(wait, call, decision); // a store has to answer first
      return result;
    }
    if (errno !== 0) {
      this.#task.kernel.takeWaitToken(); // of a call before: there is nothing to wait for
      result = -errno;
    }
    this.#done(name, call, result, errno !== 0 || isShort);
    return result;
  }

  #done(name: keyof Syscalls, call: FaultCall, result: unknown, isInjected: boolean): void {
    const number = typeof result === "number" ? result : 0;
    if (call.call === "open" && number >= 0) this.#paths.set(number, call.path as string);
    if (name === "close") this.#paths.delete(call.fd as number);
    const shown = name === "fallocate" && number === 0 ? (call.length as number) : number;
    this.#faults.note(call, shown, isInjected);
  }

  #call(original: AnyCall, args: unknown[]): unknown {
    this.#isWithin = true;
    try {
      return original(...args);
    } finally {
      this.#isWithin = false;
    }
  }

  #waitFor(promise: Promise<unknown>): number {
    this.#task.enter();
    this.#task.kernel.setWaitToken(promise as Promise<void>);
    return -EAGAIN;
  }

  /** Whether there is something to wait for, which stays. */
  #isWaiting(): boolean {
    const { kernel } = this.#task;
    const token = kernel.takeWaitToken();
    if (token !== undefined) kernel.setWaitToken(token);
    return token !== undefined;
  }
}

/** Arguments of a call that is to move less. */
function cut(name: keyof Syscalls, args: unknown[], most: number): unknown[] {
  const shorter = [...args];
  shorter[LENGTH_AT[name] as number] = most;
  return shorter;
}

/** Takes the calls of a task in hand. @returns what gives them back @throws ERR_INVALID_STATE while they are in hand already */
export function hookTask(task: Task, faults: Faults): () => void {
  if (inUse.has(task)) throw invalidStateError("This face has faults already: restore() them first");
  inUse.add(task);
  const hooks = new TaskFaults(task, faults);
  return () => {
    hooks.uninstall();
    inUse.delete(task);
  };
}
