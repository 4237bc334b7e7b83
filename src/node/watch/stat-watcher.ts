/**
 * StatWatcher: what watchFile() answers. A file is looked at every so often, and its listeners hear when what stat() says
 * of it is not what it said before: not of access times and numbers of links. What is not there at the first look is told
 * once, with zeros.
 *
 * @see libuv src/fs-poll.c, Node 26 lib/internal/fs/watchers.js
 */
import { EAGAIN } from "../../base/errno.ts";
import {
  type Path,
  STAT_BIRTHTIME_NSEC,
  STAT_BIRTHTIME_SEC,
  STAT_CTIME_NSEC,
  STAT_CTIME_SEC,
  STAT_DEV,
  STAT_GID,
  STAT_INO,
  STAT_MODE,
  STAT_MTIME_NSEC,
  STAT_MTIME_SEC,
  STAT_SIZE,
  STAT_UID,
  type Syscalls,
} from "../../vfs/syscalls.ts";
import { afterTurn, soon1 } from "../settle.ts";
import { BigIntStats, Stats } from "../stats.ts";
import { WatcherBase } from "./emitter.ts";

interface Timer {
  ref?(): void;
  unref?(): void;
}
const { setTimeout: startTimer, clearTimeout: stopTimer } = globalThis as unknown as {
  setTimeout(callback: () => void, ms: number): Timer;
  clearTimeout(timer: Timer | undefined): void;
};

const NR_STAT = 18;
const NOTHING = new Float64Array(NR_STAT);
const COMPARED = [
  STAT_CTIME_SEC,
  STAT_CTIME_NSEC,
  STAT_MTIME_SEC,
  STAT_MTIME_NSEC,
  STAT_BIRTHTIME_SEC,
  STAT_BIRTHTIME_NSEC,
  STAT_SIZE,
  STAT_MODE,
  STAT_UID,
  STAT_GID,
  STAT_INO,
  STAT_DEV,
];

/** Emits "change" with what stat() says now and what it said before, and "stop". */
export class StatWatcher extends WatcherBase {
  readonly #sys: Syscalls;
  readonly #path: Path;
  readonly #isBigint: boolean;
  readonly #intervalMs: number;
  /** What the last look has found. */
  #last: Float64Array = NOTHING;
  /** 0 before the first look, 1 after one that has found something, else its negated errno. */
  #status = 0;
  #timer: Timer | undefined;
  #isStopped = false;
  /** Holds on the process: how many there are, and how many there may be. */
  #refs = 1;
  #maxRefs = 1;

  /** @param intervalMs 0 counts as 1 */
  constructor(sys: Syscalls, path: Path, isBigint: boolean, intervalMs: number, isPersistent: boolean) {
    super();
    this.#sys = sys;
    this.#path = path;
    this.#isBigint = isBigint;
    this.#intervalMs = intervalMs || 1;
    if (!isPersistent) this.#refs = 0;
    afterTurn(() => this.#look());
  }

  /** Does nothing, as in Node: it is there for old programs. */
  start(): void {}

  /** Looks no more. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    stopTimer(this.#timer);
    soon1(() => this.emit("stop"), undefined);
  }

  ref(): this {
    if (this.#refs !== this.#maxRefs && this.#refs++ === 0) this.#timer?.ref?.();
    return this;
  }
  unref(): this {
    if (this.#refs !== 0 && --this.#refs === 0) this.#timer?.unref?.();
    return this;
  }

  /** Another listener wants it. */
  joined(): void {
    this.#refs++;
    this.#maxRefs++;
    if (this.#refs === 1) this.#timer?.ref?.();
  }
  /** One does no more. */
  left(): void {
    this.#maxRefs--;
    this.unref();
  }

  #look(): void {
    if (this.#isStopped) return;
    const startMs = Date.now();
    const rc = this.#sys.stat(this.#path, 0);
    if (rc === -EAGAIN) {
      const token = this.#sys.waitToken();
      if (token !== undefined) return void token.then(() => this.#look());
    }
    const found = rc < 0 ? NOTHING : this.#sys.statValues.slice();
    this.#lookAgain(startMs); // before listeners, which may throw
    this.#compare(rc, found);
  }

  #lookAgain(startMs: number): void {
    const ms = this.#intervalMs - ((Date.now() - startMs) % this.#intervalMs);
    this.#timer = startTimer(() => this.#look(), ms);
    if (this.#refs === 0) this.#timer.unref?.();
  }

  #compare(rc: number, found: Float64Array): void {
    const before = this.#status;
    const last = this.#last;
    this.#status = rc < 0 ? rc : 1;
    if (rc < 0) {
      if (before !== rc) this.#tell(NOTHING, last);
      return;
    }
    this.#last = found;
    if (before < 0 || (before > 0 && COMPARED.some((field) => found[field] !== last[field]))) this.#tell(found, last);
  }

  #tell(now: Float64Array, before: Float64Array): void {
    const [current, previous] = [now, before].map((values) =>
      this.#isBigint ? new BigIntStats(values) : new Stats(values),
    );
    this.emit("change", current, previous);
  }
}
