/**
 * Random work of several tasks on a mounted folder, whose host answers in an order that a seed chooses, with a fault at each of
 * its calls in turn, and at many of a longer run: who is told of which, and what the host has then.
 *
 * Each task has a chain of calls, some of promises and some at once, in a directory of its own. What that may be is a set of
 * states (directory-model.ts): a call that fails leaves more than one, and a look at the host after each call leaves those that
 * are true. Whatever the pages of a file have is at the host after each sync.
 *
 * FOLIOFS_SEED is the seed, FOLIOFS_FAULT_TURNS how many calls fail in turn at most, FOLIOFS_FAULT_LOG where the last run of each
 * kind is written down. A seed gives the same runs again, but for what the ticks of the host's clock decide.
 */
import { strict as assert } from "node:assert";
import nodeFs from "node:fs";
import { describe, it } from "vitest";
import type { FolioFs } from "../../../../src/index.ts";
import { syncfs } from "../../../../src/vfs/generic-fsync.ts";
import {
  contentOf,
  differenceOf,
  distinct,
  modeOf,
  type Operation,
  type State,
  stagesOf,
} from "../../../helpers/directory-model.ts";
import { FaultTellings, type Owner } from "../../../helpers/fault-tellings.ts";
import { createHostfsMount, type HostfsMount } from "../../../helpers/hostfs-mount.ts";
import { type Random, seededRandom } from "../../../helpers/random.ts";
import { type AskedCall, ScheduledHost } from "../../../helpers/scheduled-host.ts";

const SEED = Number(process.env.FOLIOFS_SEED ?? Date.now() % 1e6);
const LOG = process.env.FOLIOFS_FAULT_LOG;
const MAX_CALLS = 500;
const MAX_TURNS = Number(process.env.FOLIOFS_FAULT_TURNS ?? 60);
const NR_STEPS = 1500;
/** About, for the host. */
const CALLS_PER_STEP = 4;
const NR_RANDOM = 200;
const NAMED = ["EIO", "ENOSPC", "EACCES"];
/** A code for each fault of a run, so that it is known which one is told: errnos that libuv has no name for. */
const namelessCode = (i: number) => `Unknown system error ${-1000 - i}`;
const isFaultCode = (code: string) => NAMED.includes(code) || code.startsWith("Unknown system error");
/** Of synchronous calls that meet what promise calls hold. */
const MAX_TRIES = 10_000;
const NAMES = ["a", "b", "c"];
/** Users of the tasks. What another than root makes has to be given to him. */
const UIDS = [0, 1000, 0];

interface Step extends Operation {
  readonly chain: number;
  readonly isSync: boolean;
}

/** What a task does, as often as it stands here. */
const WHATS = [
  ..."write write append append append pwrite pwrite truncate rename unlink link chmod read read stat".split(" "),
  ..."mkdir rmdir symlink unlinkLink abortWrite abortRead detach shrink sync umount drop".split(" "),
];

function makeScript(random: Random, nrSteps: number): Step[] {
  return Array.from({ length: nrSteps }, (_, i) => ({
    chain: random(UIDS.length),
    what: WHATS[random(WHATS.length)],
    name: NAMES[random(NAMES.length)],
    other: NAMES[random(NAMES.length)],
    at: random(12_000),
    length: 1 + random(9000),
    fill: 1 + (i % 250),
    isSync: random(2) === 0,
  }));
}

class Run {
  readonly log: string[] = [];
  readonly tellings: FaultTellings;
  readonly host: ScheduledHost;
  readonly #setup: HostfsMount;
  readonly #data: string;
  readonly #cache: string;
  readonly #random: Random;
  readonly #tasks: FolioFs[];
  /** What each task is doing. */
  readonly #doing: Owner[] = [];
  /** What is done for the whole mount at once. */
  #isForAll: Owner | undefined;
  #states: State[][] = UIDS.map(() => [new Map()]);
  /** Files that could not be written back since all was looked at: whoever syncs is told, and what they hold nobody can tell. */
  readonly #lossy = new Set<bigint>();
  /** The mount's directory, open since it was mounted: syncfs() tells it what could not be written back since. */
  #top = -1;

  constructor(cache: string, seed: number, faultAt: (nr: number) => string | undefined) {
    this.#setup = createHostfsMount("/dev/shm", { preallocate: true, memoryLimit: 16 * 2 ** 20 });
    const { fs, inside } = this.#setup;
    for (const [i, uid] of UIDS.entries()) {
      nodeFs.mkdirSync(`${inside}/t${i}`);
      nodeFs.chownSync(`${inside}/t${i}`, uid, uid);
    }
    this.#tasks = UIDS.map((uid) => fs.kernel.task({ uid, gid: uid, cwd: "/" }) as FolioFs);
    this.#cache = cache;
    this.#random = seededRandom(seed);
    this.#data = `cache=${cache},maxfds=${3 + this.#random(4)},ttl=${this.#random(2) * 1e6}`;
    this.host = new ScheduledHost(this.#random, (call) => this.#fault(call, faultAt(call.nr)));
    this.tellings = new FaultTellings(cache, this.host.calls);
  }

  async make(script: readonly Step[], nrPhases: number): Promise<void> {
    this.#mount();
    const { vm } = this.#setup.fs.kernel;
    if (vm) vm.dirty_writeback_centisecs = 0; // by the clock, and no seed could tell when
    const length = Math.ceil(script.length / nrPhases);
    for (let i = 0; i < nrPhases; i++) await this.#phase(script.slice(i * length, (i + 1) * length));
  }

  dispose(): void {
    this.host.restore();
    this.#setup.dispose();
  }

  #fault(call: AskedCall, code: string | undefined): string | undefined {
    const chain = chainOf(call);
    const owner = this.#isForAll ?? (chain === undefined ? undefined : this.#doing[chain]);
    this.tellings.own(call, owner);
    this.log.push(
      `${call.nr} ${call.name} ${call.path.replace(/.*inside/, "")} ${call.inos} ${code ?? ""} of ${owner?.what}`,
    );
    // What fails when a call takes back what it has done stays half done.
    const isSecond = owner !== undefined && !owner.isSync && this.tellings.faultsOf(owner).length > 0;
    if (code === undefined || isSecond) return undefined;
    this.tellings.fail(call, code, owner, chain);
    if (this.#cache === "writeback" && call.name === "writev") for (const ino of call.inos) this.#lossy.add(ino);
    return code;
  }

  // --- Phases -----------------------------------------------------------------------------------------------------------

  /** All tasks work; then the mount comes to an end, and there is another. */
  async #phase(steps: readonly Step[]): Promise<void> {
    const { fs } = this.#setup;
    await Promise.all(UIDS.map((_, chain) => this.#chain(steps.filter((step) => step.chain === chain))));
    // To unmount writes back as well, but tells nobody what had been lost before.
    if (this.#lossy.size > 0 || this.#random(2) === 0) await this.#sync(undefined);
    fs.kernel.verify?.();
    while (!this.#umount()) await this.host.turn();
    fs.kernel.verify?.();
    for (const chain of UIDS.keys()) this.#look(chain, () => true, "when all is to be at the host");
    this.#adopt();
  }

  async #chain(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      this.#doing[step.chain] = { what: `${step.what} of t${step.chain}` };
      this.log.push(`${this.host.calls.length} begin ${JSON.stringify(step)}`);
      if (step.what === "sync") await this.#sync(step.chain);
      else if (step.what === "drop") this.#forAll({ what: "drop" }, () => this.#setup.fs.kernel.dropCaches(3));
      else if (step.what !== "umount") await this.#take(step);
      else if (this.#lossy.size === 0) this.#umount();
    }
  }

  /** @param chain whose syncfs it is; undefined = nobody else is at work */
  async #sync(chain: number | undefined): Promise<void> {
    const owner: Owner = { what: "syncfs", isSync: true, since: this.host.calls.length };
    if (chain === undefined) this.#isForAll = owner;
    else this.#doing[chain] = owner;
    const code = await this.#ask(owner, undefined, false, () => this.#setup.fs.kernel.callFile(this.#top, syncfs));
    assert.ok(code === undefined || isFaultCode(code), `syncfs answers ${code}`);
    this.#isForAll = undefined;
  }

  /** Tries once. @returns false if it is in use; else it has been mounted again, between two calls of the others */
  #umount(): boolean {
    const { fs } = this.#setup;
    fs.closeSync(this.#top);
    const nrFailed = fs.kernel.vmstat().end_failed;
    const owner: Owner = { what: "umount", isSync: true };
    this.#forAll(owner, () => fs.kernel.umount("/mnt"));
    owner.nrCounted = fs.kernel.vmstat().end_failed - nrFailed;
    const isMounted = this.host.unnoticed(() => fs.statSync("/mnt").dev !== fs.statSync("/").dev);
    if (!isMounted) this.#mount();
    else this.#top = this.host.unnoticed(() => fs.openSync("/mnt", "r"));
    return !isMounted;
  }

  #mount(): void {
    this.tellings.nextMount();
    while (this.#forAll({ what: "mount" }, () => this.#setup.mount(this.#data)) !== undefined);
    this.#top = this.host.unnoticed(() => this.#setup.fs.openSync("/mnt", "r"));
  }

  /** Makes a call that is about the whole mount at once. @returns the code of its error */
  #forAll(owner: Owner, call: () => void): string | undefined {
    this.#isForAll = owner;
    try {
      call();
      return undefined;
    } catch (error) {
      return this.#note(owner, undefined, error);
    } finally {
      this.#isForAll = undefined;
    }
  }

  // --- Calls ------------------------------------------------------------------------------------------------------------

  async #take(step: Step): Promise<void> {
    const { chain, name, what } = step;
    const owner = this.#doing[chain];
    let answer: unknown;
    const code = await this.#ask(owner, chain, step.isSync, async () => {
      answer = await this.#call(step);
    });
    if (code === "ABORT_ERR") {
      // The caller's wait is over at once, where Node's would last until the host has answered: it may change the file yet.
      owner.isAborted = true;
      await this.host.rest((call) => [chain, undefined].includes(chainOf(call)));
    }
    this.log.push(`${this.host.calls.length} end ${owner.what} ${code ?? ""}`);
    const next = this.#states[chain].flatMap((state) => this.#after(state, step, code, answer));
    assert.ok(next.length > 0, `${owner.what}/${name} answers ${code ?? "what it may not"}`);
    this.#states[chain] = next;
    const isSynced = what === "pwrite" && code === undefined;
    this.#look(
      chain,
      (one) => this.#cache !== "writeback" || (isSynced && one === name),
      `after ${owner.what}/${name}`,
    );
  }

  /** @returns what a state may be after a call; none = it cannot have answered that */
  #after(state: State, step: Step, code: string | undefined, answer: unknown): State[] {
    const stages = stagesOf(state, step);
    const hasFailed = code !== undefined && (isFaultCode(code) || code === "ABORT_ERR");
    if (typeof stages === "string") return code === stages || hasFailed ? [state] : [];
    if (hasFailed || (isLosing(step) && code === "EFAULT")) return [state, ...stages];
    if (step.what === "shrink" && code === undefined) return stages.slice(1);
    if (code !== undefined || !this.#isTrue(state, step, answer)) return [];
    return [stages.at(-1) as State];
  }

  /** Does a file that has been read, or asked about, look like that? */
  #isTrue(state: State, { chain, what, name }: Step, answer: unknown): boolean {
    if (what !== "read" && what !== "stat") return true;
    const { ino } = nodeFs.statSync(`${this.#setup.inside}/t${chain}/${name}`, { bigint: true });
    const { bytes, mode } = state.get(name) as { bytes: Buffer; mode: number };
    const isLossy = this.#lossy.has(ino);
    if (what === "read") return isLossy || bytes.equals(answer as Buffer);
    const stats = answer as nodeFs.Stats;
    return (stats.mode & 0o777) === mode && (isLossy || stats.size === bytes.length);
  }

  /** @param isSync it cannot wait for what promise calls hold, and tries again */
  async #ask(
    owner: Owner,
    chain: number | undefined,
    isSync: boolean,
    call: () => unknown,
  ): Promise<string | undefined> {
    for (let nrTries = 1; ; nrTries++) {
      try {
        await call();
        return undefined;
      } catch (error) {
        const code = this.#note(owner, chain, error);
        if (code !== "EAGAIN" || !isSync) return code;
        assert.ok(nrTries < MAX_TRIES, `${owner.what} answers ${code} for ever`);
        await this.host.turn();
      }
    }
  }

  #note(by: Owner, chain: number | undefined, error: unknown): string {
    const { code = String(error), isSync = by.isSync === true } = error as { code?: string; isSync?: boolean };
    this.log.push(`${this.host.calls.length} ${by.what} is told ${code} ${isSync}`);
    if (isFaultCode(code)) this.tellings.tell({ by, chain, code, isSync });
    return code;
  }

  async #call({ chain, what, name, other, at, length, fill, isSync }: Step): Promise<unknown> {
    const fs = this.#tasks[chain];
    const [path, to] = [`/mnt/t${chain}/${name}`, `/mnt/t${chain}/${other}`];
    const call = (one: string, ...args: unknown[]): unknown => {
      const owner = (isSync ? fs : fs.promises) as unknown as Record<string, (...all: unknown[]) => unknown>;
      return owner[isSync ? `${one}Sync` : one](...args);
    };
    const bytes = Buffer.alloc(length, fill);
    switch (what) {
      case "write":
        return void (await call("writeFile", path, bytes));
      case "append":
        return void (await call("appendFile", path, bytes));
      case "pwrite":
        return pwriteAndSync(fs, path, bytes, at);
      case "truncate":
        return void (await call("truncate", path, at));
      case "rename":
      case "link":
        return void (await call(what, path, to));
      case "unlink":
        return void (await call("unlink", path));
      case "unlinkLink":
        return void (await call("unlink", `${path}.l`));
      case "symlink":
        return void (await call("symlink", other, `${path}.l`));
      case "mkdir":
      case "rmdir":
        return void (await call(what, `${path}.d`));
      case "chmod":
        return void (await call("chmod", path, modeOf(at)));
      case "read":
      case "stat":
        return call(what === "read" ? "readFile" : "stat", path);
      case "abortWrite":
        return aborted(this.host, at % 16, (signal) => fs.promises.writeFile(path, bytes, { signal }));
      case "abortRead":
        return aborted(this.host, at % 16, (signal) => fs.promises.readFile(path, { signal }));
      default:
        return writeLosing(
          this.host,
          at % 16,
          (view) => fs.promises.writeFile(path, view.fill(fill)),
          length,
          what === "shrink",
        );
    }
  }

  // --- What the host has ------------------------------------------------------------------------------------------------

  /** Leaves the states of a directory that are true. @param hasContent of which files the host has all that was written */
  #look(chain: number, hasContent: (name: string) => boolean, when: string): void {
    const folder = `${this.#setup.inside}/t${chain}`;
    const differences = this.#states[chain].map((state) =>
      differenceOf(folder, state, (name, ino) => !this.#lossy.has(ino) && hasContent(name)),
    );
    assert.ok(differences.includes(undefined), `t${chain} ${when}: ${[...new Set(differences)].join("; ")}`);
    this.#states[chain] = distinct(this.#states[chain].filter((_, i) => differences[i] === undefined));
  }

  /** What could not be written back is what the host has. */
  #adopt(): void {
    for (const [chain, states] of this.#states.entries()) {
      for (const state of states) {
        for (const [name, node] of state) {
          const path = `${this.#setup.inside}/t${chain}/${name}`;
          if (this.#lossy.has(nodeFs.lstatSync(path, { bigint: true }).ino)) node.bytes = contentOf(path, node.type);
        }
      }
      this.#states[chain] = distinct(states);
    }
    this.#lossy.clear();
  }

  /** The host is well again. */
  async checkEnd(): Promise<void> {
    this.host.restore();
    const { fs, inside } = this.#setup;
    for (const chain of UIDS.keys()) {
      fs.writeFileSync(`/mnt/t${chain}/more`, "goes on");
      await fs.kernel.callFile(this.#top, syncfs);
      assert.equal(nodeFs.readFileSync(`${inside}/t${chain}/more`, "utf8"), "goes on");
    }
    fs.closeSync(this.#top);
    fs.kernel.umount("/mnt");
    fs.kernel.verify?.();
    assert.deepEqual(descriptorsIn(inside), [], "descriptors are left open");
  }
}

/** Does the buffer go while it is written? Then EFAULT is an answer. */
function isLosing({ what }: Step): boolean {
  return what === "detach" || what === "shrink";
}

/** Whose directory a call is about; undefined = the mount's, or none. */
function chainOf({ path }: AskedCall): number | undefined {
  const [, chain] = /\/inside\/t(\d)/.exec(path) ?? [];
  return chain === undefined ? undefined : Number(chain);
}

async function pwriteAndSync(fs: FolioFs, path: string, bytes: Buffer, at: number): Promise<void> {
  const handle = await fs.promises.open(path, "r+");
  try {
    for (let done = 0; done < bytes.length; )
      done += (await handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
    await handle.sync().catch((error) => {
      throw Object.assign(error, { isSync: true });
    });
  } finally {
    await handle.close();
  }
}

/** Makes a call and gives it up some turns later, if it has not ended by then. */
async function aborted<T>(host: ScheduledHost, nrTurns: number, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const promise = call(controller.signal);
  promise.catch(() => {}); // it is looked at below
  for (let i = 0; i < nrTurns; i++) await host.turn();
  controller.abort();
  return promise;
}

/** Not among the types yet. */
type ResizableBuffer = ArrayBuffer & { resize(length: number): void };
function resizableBuffer(length: number): ResizableBuffer {
  const { ArrayBuffer: Resizable } = globalThis as unknown as {
    ArrayBuffer: new (length: number, options: { maxByteLength: number }) => ResizableBuffer;
  };
  return new Resizable(length, { maxByteLength: length });
}

/** Writes a buffer that goes some turns later, or the second half of it. */
async function writeLosing(
  host: ScheduledHost,
  nrTurns: number,
  write: (view: Uint8Array) => Promise<void>,
  length: number,
  isHalf: boolean,
): Promise<void> {
  const buffer = resizableBuffer(length);
  const promise = write(new Uint8Array(buffer));
  promise.catch(() => {});
  for (let i = 0; i < nrTurns; i++) await host.turn();
  if (isHalf) buffer.resize(length >> 1);
  else structuredClone(buffer, { transfer: [buffer] });
  await promise;
}

function descriptorsIn(folder: string): string[] {
  const targets = nodeFs.readdirSync("/proc/self/fd").map((fd) => {
    try {
      return nodeFs.readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ""; // the descriptor of this very readdir
    }
  });
  return targets.filter((target) => target.startsWith(folder));
}

/** @returns the run, which has been found right */
async function run(
  cache: string,
  script: readonly Step[],
  nrPhases: number,
  faultAt: (nr: number) => string | undefined,
) {
  const one = new Run(cache, SEED, faultAt);
  try {
    await one.make(script, nrPhases);
    await one.checkEnd();
    assert.deepEqual(one.tellings.problems(), []);
  } catch (error) {
    const faults = one.tellings.faults.map(({ call: { nr, name, path }, code, owner }) => [
      nr,
      name,
      path,
      code,
      owner?.what,
    ]);
    throw new Error(`seed ${SEED}, ${cache}: ${(error as Error).message}; faults ${JSON.stringify(faults)}`, {
      cause: error,
    });
  } finally {
    if (LOG) nodeFs.writeFileSync(`${LOG}-${cache}-${script.length}`, one.log.join("\n"));
    one.dispose();
  }
  return one;
}

describe.each(["none", "writethrough", "writeback"])("cache=%s", (cache) => {
  it("tells a fault at each call in turn to whom it concerns", { timeout: 600_000 }, async () => {
    const script = makeScript(seededRandom(SEED), 120);
    const { host } = await run(cache, script, 2, () => undefined);
    const last = Math.min(host.calls.length, MAX_CALLS);
    const stride = Math.max(1, Math.ceil(last / MAX_TURNS));
    console.log(`seed ${SEED}, ${cache}: ${host.calls.length} calls, every ${stride} of the first ${last} fails`);
    for (let n = 1 + (SEED % stride); n <= last; n += stride) {
      const failing = await run(cache, script, 2, (nr) => (nr === n ? NAMED[(n + SEED) % NAMED.length] : undefined));
      // A tick of the host's clock more or less, and a run has fewer calls than the first one had.
      assert.equal(failing.tellings.faults.length, n <= failing.host.calls.length ? 1 : 0);
    }
  });

  it("loses nothing by random faults of a long run but what it tells", { timeout: 600_000 }, async () => {
    const random = seededRandom(SEED + 1);
    const script = makeScript(random, NR_STEPS);
    const nrCalls = NR_STEPS * CALLS_PER_STEP;
    const at = new Map(Array.from({ length: NR_RANDOM }, (_, i) => [1 + random(nrCalls), namelessCode(i)]));
    const { tellings, host } = await run(cache, script, 15, (nr) => at.get(nr));
    console.log(`seed ${SEED}, ${cache}: ${tellings.faults.length} faults among ${host.calls.length} calls`);
    assert.ok(tellings.faults.length > NR_RANDOM / 2);
  });
});
