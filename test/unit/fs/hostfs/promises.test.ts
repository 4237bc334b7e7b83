/** Promise calls on hostfs: they leave the event loop free, and go together with synchronous ones on one mount. */
import { spawnSync } from "node:child_process";
import nodeFs from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FolioFs } from "../../../../src/index.ts";
import { createHostfsMount, type HostfsMount } from "../../../helpers/hostfs-mount.ts";
import { seededRandom } from "../../../helpers/random.ts";
import { ScheduledHost } from "../../../helpers/scheduled-host.ts";

let setup: HostfsMount;
let fs: FolioFs;

beforeEach(() => {
  setup = createHostfsMount();
  fs = setup.fs;
});

afterEach(() => setup.dispose());

const NR_THREADS = Number(process.env.UV_THREADPOOL_SIZE ?? 4);
/** Of the event loop, while no thread is free. */
const NR_TURNS = 20;

/** Occupies all of libuv's threads: each waits for a writer of its fifo. @returns lets them go */
function occupyThreads(): () => Promise<void> {
  const fifos = Array.from({ length: NR_THREADS }, (_, i) => `${setup.outside}/fifo${i}`);
  spawnSync("mkfifo", fifos);
  const readers = fifos.map((path) => nodeFs.promises.open(path, "r"));
  return async () => {
    const writers = fifos.map((path) => nodeFs.openSync(path, "r+"));
    for (const reader of readers) await (await reader).close();
    for (const writer of writers) nodeFs.closeSync(writer);
  };
}

type PromiseCall = (fs: FolioFs) => Promise<unknown>;

/** What the host must be asked for, whatever has been asked before. */
const CALLS: Readonly<Record<string, PromiseCall>> = {
  stat: ({ promises }) => promises.stat("/mnt/d/f"),
  "stat of what is missing": ({ promises }) => promises.stat("/mnt/d/none").catch(() => {}),
  readdir: ({ promises }) => promises.readdir("/mnt/d"),
  readlink: ({ promises }) => promises.readlink("/mnt/d/l"),
  open: async ({ promises }) => (await promises.open("/mnt/d/f", "r+")).close(),
  readFile: ({ promises }) => promises.readFile("/mnt/d/l"),
  writeFile: ({ promises }) => promises.writeFile("/mnt/d/new", "text"),
  appendFile: ({ promises }) => promises.appendFile("/mnt/d/f", "text"),
  mkdir: ({ promises }) => promises.mkdir("/mnt/d/sub"),
  rename: ({ promises }) => promises.rename("/mnt/d/f", "/mnt/d/g"),
  link: ({ promises }) => promises.link("/mnt/d/f", "/mnt/d/hard"),
  unlink: ({ promises }) => promises.unlink("/mnt/d/f"),
  chmod: ({ promises }) => promises.chmod("/mnt/d/f", 0o600),
  utimes: ({ promises }) => promises.utimes("/mnt/d/f", 1, 2),
  truncate: ({ promises }) => promises.truncate("/mnt/d/f", 1),
  statfs: ({ promises }) => promises.statfs("/mnt/d"),
};

describe.each(["cache=none,ttl=0", "cache=writethrough,ttl=0"])("hostfs, %s", (data) => {
  beforeEach(() => {
    nodeFs.mkdirSync(`${setup.inside}/d`);
    nodeFs.writeFileSync(`${setup.inside}/d/f`, "data");
    nodeFs.symlinkSync("f", `${setup.inside}/d/l`);
    setup.mount(data);
  });

  it.each(Object.entries(CALLS))("leaves the event loop free: %s", async (_name, call) => {
    const freeThreads = occupyThreads();
    let isOver = false;
    const done = call(fs).then(() => {
      isOver = true;
    });
    for (let i = 0; i < NR_TURNS; i++) await nextTurn();
    expect(isOver, "the host is asked by a thread, of which none is free").toBe(false);
    await freeThreads();
    await done;
  });

  it("does what promise calls ask for once each, however often they are made again", async () => {
    await fs.promises.mkdir("/mnt/p/q", { recursive: true });
    await Promise.all(Array.from({ length: 20 }, (_, i) => fs.promises.appendFile("/mnt/p/log", `${i}\n`)));
    await fs.promises.utimes("/mnt/p/log", 5, 6);
    const lines = nodeFs.readFileSync(`${setup.inside}/p/log`, "utf8").split("\n").filter(Boolean);
    expect(lines.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(nodeFs.statSync(`${setup.inside}/p/log`).mtimeMs).toBe(6000);
    expect(await fs.promises.readFile("/mnt/p/log", "utf8")).toBe(nodeFs.readFileSync(`${setup.inside}/p/log`, "utf8"));
    const handle = await fs.promises.open("/mnt/p/two", "w");
    await Promise.all([handle.write("first"), handle.write("second")]);
    await handle.close();
    expect(nodeFs.readFileSync(`${setup.inside}/p/two`, "utf8")).toBe("firstsecond");
  });

  it("lets promise chains and synchronous calls work on one mount, interleaved", async () => {
    let nrRuns = 0;
    const property = fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      const top = `/mnt/run${nrRuns++}`;
      fs.mkdirSync(top);
      const chains = Array.from({ length: NR_CHAINS }, (_, i) => new Chain(fs, `${top}/c${i}`));
      await Promise.all(chains.map((chain, i) => chain.run(steps.filter((one) => one.chain === i))));
      for (const chain of chains) chain.check(setup.inside);
    });
    await fc.assert(property, { numRuns: 15, verbose: 1 });
    fs.kernel.verify?.();
  });
});

const NR_CHAINS = 4;

interface Step {
  readonly chain: number;
  readonly what: "write" | "append" | "read" | "rename" | "unlink" | "truncate" | "stat" | "list";
  readonly file: number;
  readonly size: number;
  /** A synchronous call. */
  readonly isSync: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  chain: fc.nat(NR_CHAINS - 1),
  what: fc.constantFrom("write", "append", "read", "rename", "unlink", "truncate", "stat", "list"),
  file: fc.nat(3),
  size: fc.nat(20_000),
  isSync: fc.boolean(),
});

/** Works in a directory of its own, one call after the other, and knows what must be there. */
class Chain {
  readonly #fs: FolioFs;
  readonly #root: string;
  readonly #files = new Map<string, Buffer>();

  constructor(fs: FolioFs, root: string) {
    this.#fs = fs;
    this.#root = root;
    fs.mkdirSync(root);
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const [i, one] of steps.entries()) await this.#perform(one, i);
  }

  async #perform({ what, file, size, isSync }: Step, i: number): Promise<void> {
    const name = `f${file}`;
    const path = `${this.#root}/${name}`;
    const { promises } = this.#fs;
    const known = this.#files.get(name);
    const bytes = Buffer.alloc(size, i + 1);
    const call = (now: keyof FolioFs, later: keyof FolioFs["promises"], ...args: unknown[]): unknown =>
      isSync
        ? (this.#fs[now] as (...args: unknown[]) => unknown)(...args)
        : (promises[later] as (...args: unknown[]) => unknown)(...args);
    if (what === "write") {
      await call("writeFileSync", "writeFile", path, bytes);
      this.#files.set(name, bytes);
    } else if (what === "append") {
      await call("appendFileSync", "appendFile", path, bytes);
      this.#files.set(name, Buffer.concat([known ?? Buffer.alloc(0), bytes]));
    } else if (what === "list") {
      expect(await call("readdirSync", "readdir", this.#root)).toEqual([...this.#files.keys()].sort());
    } else if (known === undefined) {
      expect(this.#fs.existsSync(path)).toBe(false);
    } else if (what === "read") {
      expect(known.equals((await call("readFileSync", "readFile", path)) as Buffer)).toBe(true);
    } else if (what === "rename") {
      const to = `f${(file + 1) % 4}`;
      await call("renameSync", "rename", path, `${this.#root}/${to}`);
      this.#files.delete(name);
      this.#files.set(to, known);
    } else if (what === "unlink") {
      await call("unlinkSync", "unlink", path);
      this.#files.delete(name);
    } else if (what === "truncate") {
      await call("truncateSync", "truncate", path, size);
      this.#files.set(name, Buffer.concat([known, Buffer.alloc(size)]).subarray(0, size));
    } else {
      expect(((await call("statSync", "stat", path)) as { size: number }).size).toBe(known.length);
    }
  }

  /** Both sides have what the chain has made. */
  check(inside: string): void {
    const host = this.#root.replace("/mnt", inside);
    expect(nodeFs.readdirSync(host).sort()).toEqual([...this.#files.keys()].sort());
    for (const [name, bytes] of this.#files) {
      expect(bytes.equals(nodeFs.readFileSync(`${host}/${name}`)), `${name} on the host`).toBe(true);
      expect(bytes.equals(this.#fs.readFileSync(`${this.#root}/${name}`)), `${name} here`).toBe(true);
    }
  }
}

describe.each(["writeFile", "FileHandle.write"])("a buffer that goes while the host writes it: %s", (how) => {
  /** @returns what the call comes to, when the host answers `code` */
  async function write(code: string | undefined): Promise<unknown> {
    setup.mount("cache=none");
    let isAsked = false;
    const host = new ScheduledHost(seededRandom(1), ({ name }) => {
      isAsked ||= name === "writev";
      return name === "writev" ? code : undefined;
    });
    try {
      const bytes = new Uint8Array(5000).fill(7);
      const handle = await fs.promises.open("/mnt/f", "w");
      const written = how === "writeFile" ? handle.writeFile(bytes) : handle.write(bytes, 0, bytes.length);
      const outcome = written.catch((error: NodeJS.ErrnoException) => error.code);
      while (!isAsked) await host.turn();
      structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
      const answer = await outcome;
      await handle.close();
      return answer;
    } finally {
      host.restore();
    }
  }

  it("is told that it could not", async () => {
    expect(await write("ENOSPC")).toBe("ENOSPC");
  });

  it("is told that it could", async () => {
    const answer = await write(undefined);
    if (how === "writeFile") expect(answer).toBeUndefined();
    else expect(answer).toMatchObject({ bytesWritten: 5000 });
    expect(nodeFs.readFileSync(`${setup.inside}/f`)).toEqual(Buffer.alloc(5000, 7));
  });
});
