/**
 * A task whose relative paths start where a process of the host stands at the moment (`cwd: true`), whatever the task's
 * own working directory is. Paths are made absolute as text before the walk; whether that directory exists here, the walk
 * finds out.
 *
 * A class of its own, so that all other tasks pay nothing.
 */
import type { TaskHandle } from "../base/handles.ts";
import { utf8Encoder } from "../base/utf8.ts";
import type { FileTable } from "./file-table.ts";
import type { Kernel } from "./kernel.ts";
import type { Credentials } from "./new-task.ts";
import type { Path, Syscalls } from "./syscalls.ts";
import { Task } from "./task.ts";

const SLASH = 0x2f;

/** How many paths a call takes, before its other arguments. */
const NR_PATHS = {
  open: 1,
  stat: 1,
  access: 1,
  exists: 1,
  chmod: 1,
  chown: 1,
  utimens: 1,
  statfs: 1,
  findSmall: 1,
  truncate: 1,
  mkdir: 1,
  rmdir: 1,
  unlink: 1,
  removeTree: 1,
  mknod: 1,
  readlink: 1,
  readdir: 1,
  realpath: 1,
  chroot: 1,
  link: 2,
  rename: 2,
  renameat2: 2,
} as const satisfies Partial<Record<keyof Syscalls, 1 | 2>>;

/** A task that stands where its host does. */
export class FollowingTask extends Task {
  #hostCwd: (() => string) | undefined;

  constructor(kernel: Kernel, handle: TaskHandle, files: FileTable, credentials: Credentials, hostCwd: () => string) {
    super(kernel, handle, files, credentials);
    this.#hostCwd = hostCwd;
  }

  override get followsHost(): boolean {
    return this.#hostCwd !== undefined;
  }

  override fromCwd(path: Path): Path {
    if (this.#hostCwd === undefined || path.length === 0 || path[0] === "/" || path[0] === SLASH) return path;
    const start = `${this.#hostCwd()}/`;
    if (typeof path === "string") return start + path;
    const head = utf8Encoder.encode(start);
    const whole = new Uint8Array(head.length + path.length);
    whole.set(head);
    whole.set(path, head.length);
    return whole;
  }

  override symlink(target: Path, path: Path): number {
    return super.symlink(target, this.fromCwd(path));
  }

  override getcwd(): Uint8Array | number {
    return this.#hostCwd === undefined ? super.getcwd() : utf8Encoder.encode(this.#hostCwd());
  }

  /** From now on the task has a working directory of its own. */
  override chdir(path: Path): number {
    const rc = super.chdir(this.fromCwd(path));
    if (rc === 0) this.#hostCwd = undefined;
    return rc;
  }
}

type Call = (this: Task, ...args: unknown[]) => unknown;

for (const [name, nrPaths] of Object.entries(NR_PATHS)) {
  const call = Task.prototype[name as keyof Task] as unknown as Call;
  const fromHost: Call = function (...args) {
    for (let i = 0; i < nrPaths; i++) args[i] = this.fromCwd(args[i] as Path);
    return call.apply(this, args);
  };
  Object.defineProperty(FollowingTask.prototype, name, { value: fromHost, configurable: true });
}
