/** kernel.usage(): every byte of memory counts once, by what it is used for, and by who has it. */
import { strict as assert } from "node:assert";
import { afterEach, describe, it } from "vitest";
import { MAP_PRIVATE, PROT_READ, PROT_WRITE } from "../../../src/base/mman.ts";
import { hostfs } from "../../../src/host.ts";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { compressedSwap, memoryFailure, reportUsage, type Usage } from "../../../src/store.ts";
import { LoggingFs, PAGE } from "../../helpers/logging-fs.ts";
import { lz4 } from "../../helpers/lz4.ts";
import { inodeOf } from "../../helpers/mock-scene.ts";
import { MockSwap } from "../../helpers/mock-swap.ts";
import { seededRandom } from "../../helpers/random.ts";

const MIB = 2 ** 20;
const SEED = Number(process.env.FOLIOFS_SEED ?? Math.floor(Math.random() * 2 ** 31));
console.log(`usage: FOLIOFS_SEED=${SEED}`);

const KINDS = ["data", "names", "inodes", "indexNodes", "records", "tables", "poisoned", "reserve", "free"] as const;
const used: FolioFs[] = [];

afterEach(() => {
  for (const fs of used.splice(0)) fs.kernel.destroy();
});

function newFs(mib: number): FolioFs {
  const fs = createFsSync({ memoryLimit: mib * MIB });
  used.push(fs);
  return fs;
}

/** What is used, when it agrees with the counters, which are kept in other ways. */
function checked(fs: FolioFs): Usage {
  const usage = fs.kernel.usage();
  const stat = fs.kernel.vmstat();
  const { u32 } = fs.kernel.vfs.core;
  assert.equal(usage.memory, u32.byteLength);
  assert.equal(
    KINDS.reduce((sum, kind) => sum + usage[kind], 0),
    usage.memory,
  );
  const offline = usage.memory - stat.bytes_memory;
  assert.equal(usage.free + usage.reserve, stat.nr_free_pages * PAGE + offline);
  assert.equal(usage.data, stat.nr_file_pages * PAGE);
  assert.ok(usage.names + usage.inodes + usage.indexNodes + usage.records >= stat.nr_slab_pages * PAGE);
  assert.equal(usage.promised, stat.nr_reserved * PAGE);
  assert.equal(
    usage.mounts.reduce((sum, { data }) => sum + data, 0),
    usage.data,
  );
  assert.equal(
    usage.mounts.reduce((sum, { inodes }) => sum + inodes, 0),
    stat.nr_inodes * 192,
  );
  fs.kernel.verify();
  return usage;
}

describe("usage", () => {
  it("adds up to the size of the memory whatever is in it, and agrees with the counters", () => {
    const fs = newFs(16);
    const random = seededRandom(SEED);
    fs.mkdirSync("/t");
    fs.kernel.mount({ type: "tmpfs", target: "/t", data: "size=4m" });
    for (let step = 0; step < 400; step++) {
      const path = `${random(2) ? "/t" : ""}/f${random(60)}${"n".repeat(random(100))}`;
      try {
        if (random(3) === 0) fs.rmSync(path, { force: true });
        else if (random(5) === 0) fs.symlinkSync("x".repeat(1 + random(4000)), path);
        else if (random(4) === 0) fs.truncateSync(path, random(100_000));
        else fs.writeFileSync(path, Buffer.alloc(random(200_000)));
      } catch (error) {
        assert.match((error as NodeJS.ErrnoException).code as string, /^(ENOSPC|ENOENT|EEXIST|ELOOP|ENAMETOOLONG)$/);
      }
      if (step % 20 === 0) checked(fs);
    }
    checked(fs);
    // Full: what is left is the reserve.
    const fd = fs.openSync("/full", "w");
    assert.throws(
      () => {
        for (;;) fs.writeSync(fd, Buffer.alloc(65536));
      },
      { code: "ENOSPC" },
    );
    const full = checked(fs);
    assert.equal(full.memory, 16 * MIB);
    assert.ok(full.free === 0 && full.reserve > 0, `free ${full.free}, reserve ${full.reserve}`);
  });

  it("tells each file system what it has", () => {
    const fs = newFs(64);
    for (const at of ["/a", "/b", "/bound"]) fs.mkdirSync(at);
    fs.kernel.mount({ type: "tmpfs", target: "/a", data: "size=8m" });
    fs.kernel.mount({ type: "ramfs", target: "/b" });
    fs.kernel.mount({ source: "/a", target: "/bound", flags: 4096 });
    const of = (target: string) => checked(fs).mounts.find((mount) => mount.target === target);
    const empty = of("/a");
    for (let i = 0; i < 10; i++) fs.writeFileSync(`/a/f${i}`, Buffer.alloc(2 * PAGE, 1));
    fs.writeFileSync(`/b/${"long".repeat(30)}`, Buffer.alloc(PAGE));
    fs.symlinkSync("t".repeat(500), "/b/link");
    const a = of("/a");
    const b = of("/b");
    assert.ok(empty && a && b);
    assert.equal(a.data, 20 * PAGE);
    assert.equal(a.charged, 20 * PAGE);
    assert.equal(a.inodes - empty.inodes, 10 * 192);
    assert.equal(a.names - empty.names, 10 * 96);
    assert.equal(a.type, "tmpfs");
    assert.equal(a.dev, fs.statSync("/a").dev);
    assert.equal(b.data, PAGE);
    assert.equal(b.names, 3 * 96 + 128 + 512); // root, both names; the long name's string, and the link's target
    assert.equal(of("/bound"), undefined); // told at its first place
    fs.fallocateSync(fs.openSync("/a/promised", "w"), 0, 0, 5 * PAGE);
    assert.equal(checked(fs).promised, 5 * PAGE);
    assert.equal(of("/a")?.charged, 25 * PAGE);
  });

  it("knows pages of stores, what file systems make, and what is kept outside", async () => {
    const t = new LoggingFs();
    const { fs } = t;
    used.push(fs);
    t.add("f", 8 * PAGE);
    const f = await fs.promises.open("/m/f", "r+");
    await f.read(Buffer.alloc(8 * PAGE), 0, 8 * PAGE, 0);
    await t.idle();
    assert.equal(fs.kernel.usage().mounts.find(({ target }) => target === "/m")?.data, 8 * PAGE);
    checked(fs);
    const pfn = fs.kernel.vfs.core.x.findPage(inodeOf(fs.kernel.vfs, f.fd), 3);
    memoryFailure(fs.kernel, pfn);
    assert.equal(checked(fs).poisoned, PAGE);
    await f.close();
    let pool = 123;
    reportUsage(fs.kernel.vfs, "pool", () => pool);
    assert.equal(fs.kernel.usage().outside.pool, 123);
    pool = 7;
    assert.equal(fs.kernel.usage().outside.pool, 7);
    reportUsage(fs.kernel.vfs, "pool", undefined);
    assert.equal(fs.kernel.usage().outside.pool, undefined);
  });

  it("knows page tables and private copies of mappings, and maps of swap areas", () => {
    const fs = newFs(16);
    fs.writeFileSync("/f", Buffer.alloc(4 * PAGE, 1));
    const fd = fs.openSync("/f", "r+");
    const before = checked(fs);
    fs.kernel.swapOn(new MockSwap(5000));
    const map = 1 + Math.ceil(5000 / 4096); // its directory, and a byte a slot
    assert.equal(checked(fs).tables - before.tables, map * PAGE);
    const mapping = fs.kernel.mmap(fd, { prot: PROT_READ | PROT_WRITE, flags: MAP_PRIVATE });
    mapping.set(Buffer.alloc(2 * PAGE, 2));
    const { data, tables } = fs.kernel.usage();
    assert.equal(data - before.data, 2 * PAGE);
    assert.equal(tables - before.tables, (map + 2) * PAGE);
    mapping.munmap();
    assert.equal(checked(fs).data, before.data);
  });

  it("knows what compressed pages take beside the memory, and those of a fork", () => {
    const fs = newFs(8);
    fs.mkdirSync("/t");
    fs.kernel.mount({ type: "tmpfs", target: "/t", data: "size=32m" });
    assert.equal(fs.kernel.usage().outside.swap, 0);
    const pool = compressedSwap({ size: 32 * MIB, ...lz4 });
    fs.kernel.swapOn(pool);
    const text = Buffer.alloc(16 * MIB);
    for (let i = 0; i < text.length; i += 64) text.writeUInt32LE(i, i);
    fs.writeFileSync("/t/a", text);
    const { swap } = fs.kernel.usage().outside;
    assert.ok(swap >= (pool.hostBytes as number) && swap < 16 * MIB, `${swap} bytes of ${pool.hostBytes}`);
    const nrSwapped = fs.kernel.vmstat().pswpout;
    const fork = fs.kernel.fork();
    assert.ok(fork.usage().outside.swap >= (nrSwapped * PAGE) / 2);
    fork.destroy();
    fs.unlinkSync("/t/a");
    fs.kernel.swapOff(pool);
    assert.equal(fs.kernel.usage().outside.swap, 0);
  });

  it("hostfs tells what it keeps, as long as it is mounted", () => {
    const fs = createFsSync({ memoryLimit: 64 * MIB, types: [hostfs] });
    used.push(fs);
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "hostfs", source: import.meta.dirname, target: "/m" });
    const { dev } = fs.statSync("/m");
    const before = fs.kernel.usage().outside[`hostfs-${dev}`];
    for (const name of fs.readdirSync("/m")) fs.statSync(`/m/${name}`);
    assert.ok(fs.kernel.usage().outside[`hostfs-${dev}`] > before);
    fs.kernel.umount("/m");
    assert.equal(fs.kernel.usage().outside[`hostfs-${dev}`], undefined);
  });

  it("what is outside has its limits: descriptors, paths, listings", () => {
    const fs = newFs(512);
    const before = fs.kernel.usage().outside;
    for (let dir = 0; dir < 100; dir++) {
      fs.mkdirSync(`/d${dir}`);
      for (let i = 0; i < 100; i++) fs.writeFileSync(`/d${dir}/f${i}`, "");
      for (let twice = 0; twice < 3; twice++) fs.readdirSync(`/d${dir}`);
      for (let i = 0; i < 100; i++) for (let twice = 0; twice < 3; twice++) fs.statSync(`/d${dir}/f${i}`);
    }
    fs.mkdirSync("/many");
    for (let i = 0; i < 300_000; i++) fs.linkSync("/d0/f0", `/many/${i}`);
    assert.equal(fs.readdirSync("/many").length, 300_000);
    const { outside } = fs.kernel.usage();
    assert.ok(outside.paths > before.paths);
    assert.ok(outside.paths <= 8192 * (16 + 128), `${outside.paths} bytes of paths`);
    assert.ok(outside.listings <= 2 ** 18 * 48, `${outside.listings} bytes of listings`);
    const fds = Array.from({ length: 1000 }, () => fs.openSync("/d0/f0", "r"));
    assert.ok(fs.kernel.usage().outside.descriptors >= 1000 * 16);
    for (const fd of fds) fs.closeSync(fd);
  });

  it("is for root, and the kernel's maker", () => {
    const fs = newFs(16);
    const other = fs.kernel.task({ uid: 1000, gid: 1000 });
    for (const ask of [() => other.kernel.usage(), () => other.kernel.shrink()]) assert.throws(ask, { code: "EPERM" });
  });
});
