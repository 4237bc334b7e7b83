/**
 * Random work on a mount with cache=writeback: tasks with chains of promise calls and synchronous ones, each on files of its
 * own, while somebody syncs. After each fsync, and after a sync when all have come to rest, the host has what the model has.
 *
 * fast-check prints seed and path of a failure, and shrinks it. FOLIO_RUNS=n for more of them.
 */
import { strict as assert } from "node:assert";
import nodeFs from "node:fs";
import fc from "fast-check";
import { describe, it } from "vitest";
import type { FolioFs } from "../../../../src/index.ts";
import { createHostfsMount, type HostfsMount } from "../../../helpers/hostfs-mount.ts";
import { unsteadyClock } from "../../../helpers/unsteady-clock.ts";

const NR_RUNS = Number(process.env.FOLIO_RUNS ?? 25);
const NR_CHAINS = 3;
const NAMES = ["a", "b", "c"];
const MAX_BYTES = 20_000;

interface Step {
  readonly chain: number;
  readonly what:
    | "write"
    | "append"
    | "rewrite"
    | "read"
    | "truncate"
    | "rename"
    | "link"
    | "unlink"
    | "chmod"
    | "fsync"
    | "sync"
    | "drop"
    | "stat";
  readonly name: number;
  readonly other: number;
  readonly at: number;
  readonly length: number;
  readonly isSync: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  chain: fc.nat(NR_CHAINS - 1),
  what: fc.constantFrom(
    ...(["write", "write", "append", "append", "rewrite", "read", "truncate", "rename", "link"] as const),
    ...(["unlink", "chmod", "fsync", "sync", "drop", "stat"] as const),
  ),
  name: fc.nat(NAMES.length - 1),
  other: fc.nat(NAMES.length - 1),
  at: fc.oneof(fc.nat(MAX_BYTES), fc.constantFrom(0, 4096, 8192)),
  length: fc.oneof(fc.integer({ min: 1, max: MAX_BYTES }), fc.constantFrom(1, 4096)),
  isSync: fc.boolean(),
});

/** What a file is: one object, however many names it has. */
interface Content {
  bytes: Buffer;
  mode: number;
}

let stamp = 0;

function fresh(length: number): Buffer {
  stamp = (stamp + 1) % 251;
  return Buffer.alloc(length, stamp + 1);
}

/** One task, which works in a directory of its own. */
class Chain {
  readonly #fs: FolioFs;
  readonly #top: string;
  readonly #onHost: string;
  readonly #model = new Map<string, Content>();

  constructor(fs: FolioFs, top: string, onHost: string) {
    this.#fs = fs;
    this.#top = top;
    this.#onHost = onHost;
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const one of steps) await this.#take(one);
  }

  async #take(one: Step): Promise<void> {
    const name = NAMES[one.name];
    const other = NAMES[one.other];
    const content = this.#model.get(name);
    if (one.what === "sync") return this.#fs.kernel.syncAsync();
    if (one.what === "drop") return this.#fs.kernel.dropCaches(3);
    if (one.what === "append" || one.what === "rewrite") return this.#writeFile(name, content, one);
    if (content === undefined) return;
    if (one.what === "write") await this.#write(name, content, one);
    if (one.what === "read") await this.#read(name, content, one.isSync);
    if (one.what === "truncate") await this.#truncate(name, content, one);
    if (one.what === "rename" && name !== other) await this.#rename(name, other, content, one.isSync);
    if (one.what === "link" && !this.#model.has(other)) {
      await this.#call(one.isSync, "link", `${this.#top}/${name}`, `${this.#top}/${other}`);
      this.#model.set(other, content);
    }
    if (one.what === "unlink") {
      await this.#call(one.isSync, "unlink", `${this.#top}/${name}`);
      this.#model.delete(name);
    }
    if (one.what === "chmod") {
      content.mode = 0o600 | (one.at & 0o77);
      await this.#call(one.isSync, "chmod", `${this.#top}/${name}`, content.mode);
    }
    if (one.what === "fsync") await this.#fsync(name, content);
    if (one.what === "stat") {
      const stats = (await this.#call(one.isSync, "stat", `${this.#top}/${name}`)) as nodeFs.Stats;
      assert.equal(stats.size, content.bytes.length, `size of ${name}`);
      assert.equal(stats.mode & 0o777, content.mode, `mode of ${name}`);
    }
  }

  /** Synchronous calls that meet what promise calls hold are made again. */
  async #call(isSync: boolean, name: string, ...args: unknown[]): Promise<unknown> {
    const owner = (isSync ? this.#fs : this.#fs.promises) as unknown as Record<string, (...all: unknown[]) => unknown>;
    for (;;) {
      try {
        return await owner[isSync ? `${name}Sync` : name](...args);
      } catch (error) {
        if (!isSync || (error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
        await new Promise((done) => setImmediate(done));
      }
    }
  }

  async #writeFile(name: string, content: Content | undefined, { what, length, isSync }: Step): Promise<void> {
    const bytes = fresh(length);
    const call = what === "append" ? "appendFile" : "writeFile";
    await this.#call(isSync, call, `${this.#top}/${name}`, bytes);
    const before = what === "append" && content ? content.bytes : Buffer.alloc(0);
    if (content) content.bytes = Buffer.concat([before, bytes]);
    else this.#model.set(name, { bytes, mode: 0o644 });
  }

  async #write(name: string, content: Content, { at, length }: Step): Promise<void> {
    const bytes = fresh(length);
    const handle = await this.#fs.promises.open(`${this.#top}/${name}`, nodeFs.constants.O_WRONLY);
    assert.equal((await handle.write(bytes, 0, length, at)).bytesWritten, length);
    await handle.close();
    const grown = Buffer.alloc(Math.max(content.bytes.length, at + length));
    content.bytes.copy(grown);
    bytes.copy(grown, at);
    content.bytes = grown;
  }

  async #read(name: string, { bytes }: Content, isSync: boolean): Promise<void> {
    const read = (await this.#call(isSync, "readFile", `${this.#top}/${name}`)) as Buffer;
    assert.ok(read.equals(bytes), `content of ${name}`);
  }

  async #truncate(name: string, content: Content, { at, isSync }: Step): Promise<void> {
    await this.#call(isSync, "truncate", `${this.#top}/${name}`, at);
    const cut = Buffer.alloc(at);
    content.bytes.copy(cut);
    content.bytes = cut;
  }

  async #rename(name: string, other: string, content: Content, isSync: boolean): Promise<void> {
    await this.#call(isSync, "rename", `${this.#top}/${name}`, `${this.#top}/${other}`);
    if (this.#model.get(other) === content) return; // two names of one file: nothing happens
    this.#model.delete(name);
    this.#model.set(other, content);
  }

  async #fsync(name: string, content: Content): Promise<void> {
    const handle = await this.#fs.promises.open(`${this.#top}/${name}`, "r");
    await handle.sync();
    await handle.close();
    this.#checkOne(name, content);
  }

  #checkOne(name: string, { bytes, mode }: Content): void {
    const path = `${this.#onHost}/${name}`;
    const stats = nodeFs.statSync(path);
    assert.equal(stats.size, bytes.length, `size of ${name} on the host`);
    assert.equal(stats.mode & 0o777, mode, `mode of ${name} on the host`);
    assert.ok(nodeFs.readFileSync(path).equals(bytes), `content of ${name} on the host`);
  }

  check(): void {
    assert.deepEqual(nodeFs.readdirSync(this.#onHost).sort(), [...this.#model.keys()].sort());
    for (const [name, content] of this.#model) {
      this.#checkOne(name, content);
      assert.ok(this.#fs.readFileSync(`${this.#top}/${name}`).equals(content.bytes), `content of ${name}`);
    }
  }
}

async function work(setup: HostfsMount, phases: readonly (readonly Step[])[]): Promise<void> {
  const { fs, inside } = setup;
  const chains = Array.from({ length: NR_CHAINS }, (_, i) => {
    fs.mkdirSync(`/mnt/t${i}`);
    return new Chain(fs.kernel.task({ cwd: "/" }) as FolioFs, `/mnt/t${i}`, `${inside}/t${i}`);
  });
  for (const steps of phases) {
    const done = Promise.all(chains.map((chain, i) => chain.run(steps.filter((one) => one.chain === i))));
    await Promise.all([done, fs.kernel.syncAsync()]);
    await fs.kernel.syncAsync();
    for (const chain of chains) chain.check();
    const [{ dirty, writeback }] = fs.kernel.bdi;
    assert.deepEqual([dirty, writeback], [0, 0]);
    fs.kernel.verify?.();
  }
  assert.equal(fs.kernel.vmstat().hostfs_dirty_conflicts, 0);
  fs.kernel.umount("/mnt");
}

/** Besides options of the mount: little memory for what is dirty; a host whose clock is set back. */
const WAYS = ["ttl=1000", "ttl=0,maxfds=2", "ttl=0", "ttl=1000,maxfds=3,little", "ttl=1000,unsteady", "ttl=0,unsteady"];

describe.each(WAYS)("cache=writeback,%s", (way) => {
  it("keeps the host as the model after each sync", { timeout: 300_000 }, async () => {
    const phases = fc.array(fc.array(step, { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 3 });
    const property = fc.asyncProperty(phases, async (all) => {
      const setup = createHostfsMount();
      const restore = way.endsWith("unsteady") ? unsteadyClock() : () => {};
      try {
        setup.mount(`cache=writeback,${way.replace(/,(little|unsteady)/, "")}`);
        const { vm } = setup.fs.kernel;
        if (way.endsWith("little") && vm) {
          vm.dirty_background_bytes = 4096;
          vm.dirty_bytes = 16384;
        }
        await work(setup, all);
      } finally {
        setup.dispose();
        restore();
      }
    });
    await fc.assert(property, { numRuns: NR_RUNS });
  });
});
