/**
 * kernel.shrink(): the memory gets smaller, and all that was there goes on; and what that lives by: records lie together, at
 * the start of memory.
 */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { createFsSync, type FolioFs, restoreFsSync } from "../../../src/index.ts";
import { pageFlags } from "../../../src/mm/page.ts";
import { endPfn } from "../../../src/vfs/frames.ts";
import { KERNEL_BLOCK, KERNEL_SLOTS, PG_BUFFER, PG_SLAB, PG_TABLE } from "../../../src/wasm/layout.ts";
import { describeTree } from "../../helpers/describe-tree.ts";
import { LoggingFs, PAGE } from "../../helpers/logging-fs.ts";
import { inodeOf } from "../../helpers/mock-scene.ts";
import { seededRandom } from "../../helpers/random.ts";
import { outcomeOf } from "../../helpers/subject.ts";

const MIB = 2 ** 20;
const SEED = Number(process.env.FOLIOFS_SEED ?? Math.floor(Math.random() * 2 ** 31));
console.log(`shrink: FOLIOFS_SEED=${SEED}`);

function memoryBytes(fs: FolioFs): number {
  return fs.kernel.vfs.core.arrayBuffer.byteLength;
}

/** Bytes that are in use, with the descriptors of the sections that they lie in. */
function bytesUsed(fs: FolioFs): number {
  return fs.kernel.vmstat().bytes_used;
}

function shrunk(fs: FolioFs): void {
  const before = memoryBytes(fs);
  const given = fs.kernel.shrink();
  assert.equal(memoryBytes(fs), before - given);
  assert.ok(memoryBytes(fs) >= bytesUsed(fs));
  fs.kernel.verify();
}

/** Frames of records, and the last of them. */
function records(fs: FolioFs): { nr: number; last: number } {
  const { core } = fs.kernel.vfs;
  const found = { nr: 0, last: 0 };
  for (let pfn = 0; pfn < endPfn(core); pfn++) {
    if (!(pageFlags(core, pfn) & (PG_SLAB | PG_TABLE | PG_BUFFER))) continue;
    found.nr++;
    found.last = pfn;
  }
  return found;
}

describe("records", () => {
  it("lie together at the start of memory, whatever is written between them", () => {
    const fs = createFsSync({ memoryLimit: 64 * MIB });
    const random = seededRandom(SEED);
    const kept: string[] = [];
    let nr = 0;
    while (bytesUsed(fs) < 48 * MIB) {
      const path = `/${nr++}-${"n".repeat(random(60))}`;
      fs.writeFileSync(path, Buffer.alloc(random(40_000), nr));
      kept.push(path);
      if (random(3) === 0) fs.unlinkSync(kept.splice(random(kept.length), 1)[0]);
    }
    const { nr: nrRecords, last } = records(fs);
    assert.ok(nrRecords > 100);
    // Those of section 0 that are reserved, and some that a page lay in that could not move at that moment.
    assert.ok(last < nrRecords * 1.1 + 64, `${nrRecords} frames of records end at ${last}`);
    for (const path of kept) {
      const bytes = fs.readFileSync(path);
      assert.ok(bytes.equals(Buffer.alloc(bytes.length, bytes[0])), path);
    }
    fs.kernel.verify();
  });

  it("leave the source of a copy where it is", () => {
    const fs = createFsSync({ memoryLimit: 64 * MIB });
    const random = seededRandom(SEED + 1);
    for (let i = 0; i < 300; i++) {
      const bytes = Buffer.alloc(1 + random(300_000), i + 1);
      fs.writeFileSync("/from", bytes);
      fs.copyFileSync("/from", `/to${i % 40}`);
      assert.ok(fs.readFileSync(`/to${i % 40}`).equals(bytes), `copy ${i} of ${bytes.length} bytes`);
      fs.writeFileSync(`/n${i}`, "1");
    }
    fs.kernel.verify();
  });
});

describe("shrink", () => {
  it("after 256 MiB, all but one of them removed, memory is within a few MiB of need", () => {
    const fs = createFsSync({ memoryLimit: 512 * MIB });
    for (let i = 0; i < 256; i++) fs.writeFileSync(`/f${i}`, Buffer.alloc(MIB, i + 1));
    const full = memoryBytes(fs);
    assert.ok(full > 256 * MIB);
    for (let i = 0; i < 255; i++) fs.unlinkSync(`/f${i}`);
    shrunk(fs);
    assert.ok(memoryBytes(fs) <= 4 * MIB, `${memoryBytes(fs)} bytes`);
    assert.ok(fs.readFileSync("/f255").equals(Buffer.alloc(MIB, 0)));
    // It grows again, as before.
    for (let i = 0; i < 128; i++) fs.writeFileSync(`/g${i}`, Buffer.alloc(MIB, i));
    fs.kernel.verify();
    assert.ok(fs.readFileSync("/g100").equals(Buffer.alloc(MIB, 100)));
  });

  it("a file of no bytes is read after it as before", () => {
    const fs = createFsSync({ memoryLimit: 64 * MIB });
    fs.writeFileSync("/empty", "");
    fs.writeFileSync("/large", Buffer.alloc(32 * MIB, 1));
    const fd = fs.openSync("/large", "r");
    fs.readSync(fd, Buffer.alloc(10), 0, 10, 32 * MIB - 10); // far behind the end that memory will have
    fs.closeSync(fd);
    fs.unlinkSync("/large");
    shrunk(fs);
    assert.equal(fs.readFileSync("/empty").length, 0);
  });

  it("the same with many files, made and removed in any order", () => {
    const fs = createFsSync({ memoryLimit: 512 * MIB });
    const random = seededRandom(SEED + 2);
    const left: string[] = [];
    for (let i = 0; i < 20_000; i++) {
      left.push(`/f${i}`);
      fs.writeFileSync(`/f${i}`, Buffer.alloc(random(20_000), i));
    }
    const full = memoryBytes(fs);
    assert.ok(full > 128 * MIB);
    const peak = records(fs).nr * 4096;
    while (left.length > 100) fs.unlinkSync(left.splice(random(left.length), 1)[0]);
    shrunk(fs);
    // Slabs that one record is left in stay: they are what was lowest.
    assert.ok(memoryBytes(fs) <= peak + 4 * MIB, `${memoryBytes(fs)} bytes, records had ${peak}`);
    for (const path of left)
      assert.equal(fs.readFileSync(path)[0] ?? Number(path.slice(2)) & 255, Number(path.slice(2)) & 255);
    for (const path of left) fs.unlinkSync(path);
    shrunk(fs);
    assert.ok(memoryBytes(fs) <= 2 * MIB, `${memoryBytes(fs)} bytes`);
  });

  it("at any moment of random work, whatever is open: contents equal a model", () => {
    const fs = createFsSync({ memoryLimit: 32 * MIB });
    const random = seededRandom(SEED + 3);
    const model = new Map<string, Buffer>();
    const open = new Map<number, string>();
    let nrSmaller = 0;
    const steps: (() => void)[] = [
      () => {
        const path = `/${random(40)}`;
        const bytes = Buffer.alloc(random(300_000), random(256));
        fs.writeFileSync(path, bytes);
        model.set(path, bytes);
      },
      () => {
        const [path, bytes] = [...model][random(model.size)] ?? [];
        if (path === undefined || bytes === undefined) return;
        const at = random(bytes.length + 10_000);
        fs.writeFileSync(path, "patch", { flag: "r+" });
        fs.truncateSync(path, at);
        const next = Buffer.alloc(at);
        Buffer.from("patch").copy(bytes.length < 5 ? next : bytes);
        bytes.copy(next);
        model.set(path, next);
      },
      () => {
        const [path] = [...model.keys()].splice(random(model.size), 1);
        if (path === undefined || [...open.values()].includes(path)) return;
        fs.unlinkSync(path);
        model.delete(path);
      },
      () => {
        const [path] = [...model.keys()].splice(random(model.size), 1);
        if (path !== undefined) open.set(fs.openSync(path, "r"), path);
      },
      () => {
        const [fd] = [...open.keys()].splice(random(open.size), 1);
        if (fd === undefined) return;
        fs.closeSync(fd);
        open.delete(fd);
      },
      () => {
        const before = memoryBytes(fs);
        shrunk(fs);
        if (memoryBytes(fs) < before) nrSmaller++;
      },
    ];
    for (let step = 0; step < 600; step++) {
      steps[random(steps.length)]();
      if (step % 50 !== 0) continue;
      for (const [path, bytes] of model) assert.ok(fs.readFileSync(path).equals(bytes), `step ${step}: ${path}`);
      for (const [fd, path] of open) assert.equal(fs.fstatSync(fd).size, model.get(path)?.length);
    }
    assert.ok(nrSmaller > 5, `${nrSmaller} times smaller`);
    fs.kernel.verify();
  });

  it("descriptors, directories, tasks, mounts and times are as before", () => {
    const fs = createFsSync({ memoryLimit: 64 * MIB });
    fs.mkdirSync("/a/b", { recursive: true });
    fs.kernel.mount({ type: "tmpfs", target: "/a", data: "size=8m" });
    fs.mkdirSync("/a/c");
    fs.writeFileSync("/a/c/file", Buffer.alloc(100_000, 7));
    fs.symlinkSync("x".repeat(3000), "/a/long");
    const task = fs.kernel.task({ uid: 1000, gid: 1000, cwd: "/a/c", umask: 0o077 });
    const fd = fs.openSync("/a/c/file", "r+");
    const orphan = fs.openSync("/a/orphan", "w+");
    fs.writeSync(orphan, "still here");
    fs.unlinkSync("/a/orphan");
    assert.equal(fs.readSync(fd, Buffer.alloc(10)), 10);
    fs.flockSync(fd, 2);
    fs.writeFileSync("/big", Buffer.alloc(20 * MIB));
    fs.unlinkSync("/big");
    const mounts = fs.kernel.mounts();
    describeTree(fs, "/"); // so that to look changes no time
    const tree = describeTree(fs, "/");
    shrunk(fs);
    assert.deepEqual(describeTree(fs, "/"), tree);
    assert.deepEqual(fs.kernel.mounts(), mounts);
    assert.equal(fs.readSync(orphan, Buffer.alloc(20), 0, 20, 0), 10);
    assert.equal(fs.writeSync(fd, "new"), 3); // at byte 10
    assert.equal(fs.readFileSync("/a/c/file", "latin1").slice(9, 14), "\x07new\x07");
    assert.equal(task.realpathSync("."), "/a/c");
    assert.equal(fs.readlinkSync("/a/long").length, 3000);
    fs.closeSync(fd);
    fs.closeSync(orphan);
    fs.kernel.verify();
  });

  it("snapshots, forks and restores go on from there", () => {
    const fs = createFsSync({ memoryLimit: 64 * MIB });
    fs.writeFileSync("/keep", Buffer.alloc(300_000, 5));
    const before = fs.kernel.snapshot();
    fs.writeFileSync("/big", Buffer.alloc(20 * MIB));
    fs.unlinkSync("/big");
    shrunk(fs);
    assert.ok(restoreFsSync(fs.kernel.snapshot()).readFileSync("/keep").equals(Buffer.alloc(300_000, 5)));
    assert.ok(fs.kernel.fork().fs.readFileSync("/keep").equals(Buffer.alloc(300_000, 5)));
    fs.writeFileSync("/keep", "other");
    fs.kernel.restore(before);
    assert.ok(fs.readFileSync("/keep").equals(Buffer.alloc(300_000, 5)));
    shrunk(fs);
  });

  it("files with a store keep their pages, clean and dirty; EBUSY while one is under way", async () => {
    const t = new LoggingFs({ isLate: true });
    const { fs } = t;
    const data = t.add("f", 8 * PAGE);
    const f = await fs.promises.open("/m/f", "r+");
    fs.writeFileSync("/big", Buffer.alloc(20 * MIB));
    fs.unlinkSync("/big");
    const read = f.read(Buffer.alloc(PAGE), 0, PAGE, 0);
    assert.equal(
      outcomeOf(() => fs.kernel.shrink()),
      "EBUSY",
    );
    await read;
    await t.idle();
    const nrCalls = t.log.length;
    await f.write(Buffer.from("dirty"), 0, 5, 10);
    shrunk(fs);
    assert.ok(memoryBytes(fs) <= 2 * MIB, `${memoryBytes(fs)} bytes`);
    const got = Buffer.alloc(PAGE);
    assert.equal(fs.readSync(f.fd, got, 0, PAGE, 0), PAGE); // cached: a store that is late has nothing for synchronous calls
    data.write("dirty", 10);
    assert.ok(got.equals(data.subarray(0, PAGE)));
    assert.ok(t.log.slice(nrCalls).every((line) => !line.startsWith("read")));
    await f.sync();
    assert.equal(t.files[0].data.toString("latin1", 10, 15), "dirty");
    await f.close();
    fs.kernel.verify();
  });

  it("ENOMEM where the engine has no second memory, and all goes on in the first", () => {
    const fs = createFsSync({ memoryLimit: 64 * MIB });
    fs.writeFileSync("/f", "kept");
    fs.writeFileSync("/big", Buffer.alloc(20 * MIB));
    fs.unlinkSync("/big");
    const { Memory } = WebAssembly;
    Object.assign(WebAssembly, {
      Memory: function none() {
        throw new RangeError("could not allocate memory");
      },
    });
    try {
      assert.equal(
        outcomeOf(() => fs.kernel.shrink()),
        "ENOMEM",
      );
    } finally {
      Object.assign(WebAssembly, { Memory });
    }
    assert.equal(fs.readFileSync("/f", "utf8"), "kept");
    fs.writeFileSync("/g", "new");
    fs.kernel.verify();
    shrunk(fs);
    assert.equal(fs.readFileSync("/g", "utf8"), "new");
  });

  it("ENOTSUP with preallocated memory, EBUSY with a page pinned or another thread at it", () => {
    const whole = createFsSync({ memoryLimit: 16 * MIB, preallocate: true });
    assert.equal(
      outcomeOf(() => whole.kernel.shrink()),
      "ENOTSUP",
    );
    const fs = createFsSync({ memoryLimit: 64 * MIB });
    fs.writeFileSync("/f", "x");
    fs.writeFileSync("/big", Buffer.alloc(20 * MIB));
    fs.unlinkSync("/big");
    const { core } = fs.kernel.vfs;
    const fd = fs.openSync("/f", "r");
    const pfn = core.x.findPage(inodeOf(fs.kernel.vfs, fd), 0);
    core.x.getPage(pfn);
    assert.equal(
      outcomeOf(() => fs.kernel.shrink()),
      "EBUSY",
    );
    core.x.putPage(pfn);
    const slots = (KERNEL_BLOCK + KERNEL_SLOTS) >>> 2;
    core.u32[slots + 3] = 1;
    assert.equal(
      outcomeOf(() => fs.kernel.shrink()),
      "EBUSY",
    );
    core.u32[slots + 3] = 0;
    shrunk(fs);
    fs.closeSync(fd);
  });
});
