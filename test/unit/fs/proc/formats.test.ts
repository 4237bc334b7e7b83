/** What files of proc say: as proc(5) has it, by parsers that read the host's too, and as the kernel counts. */
import { strict as assert } from "node:assert";
import nodeFs from "node:fs";
import { describe, it } from "vitest";
import { type FileSystemType, FS_REQUIRES_DEV, libfs, ramfs } from "../../../../src/index.ts";
import { type KmemCache, kmemCacheAlloc, kmemCacheCreate } from "../../../../src/store.ts";
import { MockSwap } from "../../../helpers/mock-swap.ts";
import { fsWithProc, missingForHostProc } from "../../../helpers/proc-mount.ts";
import {
  parseBuddyinfo,
  parseFilesystems,
  parseIo,
  parseMeminfo,
  parseNumbers,
  parseSlabinfo,
  parseStatus,
  parseSwaps,
  parseVmstat,
} from "../../../helpers/proc-parsers.ts";

const missing = missingForHostProc();
/** A test against the host's file. */
const onHost = it.skipIf(missing !== undefined);

const host = (path: string) => nodeFs.readFileSync(`/proc/${path}`, "utf8");
const PAGE_BYTES = 4096;

function ours(path: string, fs = fsWithProc()): string {
  return fs.readFileSync(`/proc/${path}`, "utf8");
}

/** Names of ours that the host does not have. */
function unknownTo(theirs: Iterable<string>, names: Iterable<string>): string[] {
  const known = new Set(theirs);
  return [...names].filter((name) => !known.has(name));
}

describe("meminfo", () => {
  it("counts pages of mappings, as vmstat does", () => {
    const fs = fsWithProc();
    fs.writeFileSync("/tmp/file", Buffer.alloc(8 * PAGE_BYTES, 1));
    const fd = fs.openSync("/tmp/file", "r+");
    const faults = parseVmstat(ours("vmstat", fs)).get("pgfault") ?? Number.NaN;
    const mapping = fs.kernel.mmap(fd, { length: 4 * PAGE_BYTES });
    mapping.mlock(0, PAGE_BYTES);
    const copies = fs.kernel.mmap(fd, { prot: 3, flags: 2 });
    copies.set(new Uint8Array(2 * PAGE_BYTES));
    const meminfo = parseMeminfo(ours("meminfo", fs));
    const vmstat = parseVmstat(ours("vmstat", fs));
    assert.deepEqual(
      ["Mapped", "AnonPages", "Mlocked"].map((name) => meminfo.get(name)),
      [16, 8, 4],
    );
    assert.deepEqual(
      ["nr_mapped", "nr_anon_pages", "nr_mlock"].map((name) => vmstat.get(name)),
      [4, 2, 1],
    );
    assert.equal((vmstat.get("pgfault") ?? 0) - faults, 3);
    mapping.munmap();
    copies.munmap();
    assert.equal(parseMeminfo(ours("meminfo", fs)).get("Mapped"), 0);
  });

  it("is about the memory limit, and what is free of it", () => {
    const fs = fsWithProc({ memoryLimit: 16 * 2 ** 20 });
    fs.writeFileSync("/tmp/file", Buffer.alloc(2 ** 20));
    const fd = fs.openSync("/proc/meminfo", "r");
    const { nr_limit_pages, nr_used_pages, nr_file_pages } = fs.kernel.vmstat();
    const info = parseMeminfo(fs.readFileSync(fd, "utf8"));
    fs.closeSync(fd);
    const kib = (pages: number) => (pages * PAGE_BYTES) / 1024;
    assert.equal(info.get("MemTotal"), kib(nr_limit_pages));
    assert.ok(nr_limit_pages * PAGE_BYTES <= 16 * 2 ** 20);
    assert.equal(info.get("MemFree"), kib(nr_limit_pages - nr_used_pages));
    assert.equal(info.get("Cached"), kib(nr_file_pages));
    assert.ok(nr_file_pages >= 256);
    assert.equal(info.get("Unevictable"), kib(nr_file_pages), "ramfs holds its pages");
    assert.equal(info.get("Slab"), Number(info.get("SReclaimable")) + Number(info.get("SUnreclaim")));
    assert.equal(info.get("MemAvailable"), Number(info.get("MemFree")) + Number(info.get("SReclaimable")));
  });

  onHost("has lines that the host has, in its order and width", () => {
    const [a, b] = [parseMeminfo(ours("meminfo")), parseMeminfo(host("meminfo"))];
    if (!b.has("HardwareCorrupted")) a.delete("HardwareCorrupted"); // a host without CONFIG_MEMORY_FAILURE
    assert.deepEqual(unknownTo(b.keys(), a.keys()), []);
    assert.deepEqual(
      [...b.keys()].filter((name) => a.has(name)),
      [...a.keys()],
    );
    const column = (text: string) => text.split("\n")[0].indexOf("kB");
    assert.equal(column(ours("meminfo")), column(host("meminfo")));
  });
});

describe("vmstat", () => {
  it("has every counter of kernel.vmstat() by its name", () => {
    const fs = fsWithProc();
    fs.readFileSync("/proc/vmstat"); // the names are known from here on
    const fd = fs.openSync("/proc/vmstat", "r");
    const counted = fs.kernel.vmstat();
    const shown = parseVmstat(fs.readFileSync(fd, "utf8"));
    for (const [name, n] of Object.entries(counted))
      if (name !== "nr_free_pages") assert.equal(shown.get(name), n, name);
    const { nr_limit_pages, nr_used_pages } = counted;
    assert.equal(shown.get("nr_free_pages"), nr_limit_pages - nr_used_pages);
    fs.closeSync(fd);
  });

  onHost("has what vmstat(8) and others look for, by the host's names", () => {
    const [a, b] = [parseVmstat(ours("vmstat")), parseVmstat(host("vmstat"))];
    const wanted = ["nr_dirty", "nr_writeback", "nr_dirtied", "nr_written", "nr_dirty_threshold", "nr_file_pages"];
    wanted.push("nr_active_anon", "nr_inactive_file", "nr_unevictable", "nr_slab_reclaimable", "nr_shmem", "nr_mapped");
    wanted.push("pgpgin", "pgpgout", "pswpin", "pswpout", "pgactivate", "pgdeactivate", "pgfree", "nr_free_pages");
    assert.deepEqual(unknownTo(a.keys(), wanted), []);
    assert.deepEqual(unknownTo(b.keys(), wanted), []);
  });

  it("tells thresholds of dirty pages once something may be dirty", () => {
    const fs = fsWithProc();
    assert.equal(parseVmstat(ours("vmstat", fs)).get("nr_dirty_threshold"), 0);
    fs.readFileSync("/proc/sys/vm/dirty_ratio");
    const { limit, background } = fs.kernel.vm?.thresholds(fs.kernel.vfs.core) ?? assert.fail();
    const shown = parseVmstat(ours("vmstat", fs));
    assert.ok(limit > 1000);
    assert.ok(Math.abs(Number(shown.get("nr_dirty_threshold")) - limit) <= 2);
    assert.ok(Math.abs(Number(shown.get("nr_dirty_background_threshold")) - background) <= 2);
  });
});

describe("filesystems", () => {
  it("lists what is registered, in that order", () => {
    const fs = fsWithProc({ types: [{ ...ramfs, name: "ondevice", fsFlags: FS_REQUIRES_DEV }] });
    assert.deepEqual(parseFilesystems(ours("filesystems", fs)), fs.kernel.fileSystems());
    assert.deepEqual(parseFilesystems(ours("filesystems", fs)).at(-1), { name: "ondevice", nodev: false });
  });

  onHost("is read as the host's is", () => {
    const types = parseFilesystems(host("filesystems"));
    assert.deepEqual(
      types.find(({ name }) => name === "proc"),
      { name: "proc", nodev: true },
    );
  });
});

describe("slabinfo", () => {
  it("counts records, also of caches that a file system has made", () => {
    const fs = fsWithProc();
    const cache = kmemCacheCreate(fs.kernel.vfs, "cats", 100) as KmemCache;
    assert.ok(kmemCacheAlloc(fs.kernel.vfs, cache) > 0);
    const fd = fs.openSync("/proc/slabinfo", "r");
    const { caches } = parseSlabinfo(fs.readFileSync(fd, "utf8"));
    const of = (name: string) => caches.find((line) => line.name === name) ?? assert.fail(name);
    const { nr_dentries, nr_inodes, nr_mounts } = fs.kernel.vmstat();
    assert.equal(of("dentry").activeObjects, nr_dentries);
    assert.equal(of("inode_cache").activeObjects, nr_inodes);
    assert.equal(of("mnt_cache").activeObjects, nr_mounts);
    assert.deepEqual([of("cats").activeObjects, of("cats").size, of("cats").slabs], [1, 128, 1]);
    for (const { name, objects, perSlab, slabs, size, pagesPerSlab, activeObjects } of caches) {
      assert.equal(objects, perSlab * slabs, name);
      assert.ok(activeObjects <= objects, name);
      assert.ok(size * perSlab <= pagesPerSlab * PAGE_BYTES, name);
    }
  });

  it("is for root alone", () => {
    const fs = fsWithProc();
    const user = fs.kernel.task({ uid: 1000, gid: 1000 });
    assert.throws(() => user.readFileSync("/proc/slabinfo"), { code: "EACCES" });
  });

  onHost("has the host's header and columns", () => {
    const [a, b] = [parseSlabinfo(ours("slabinfo")), parseSlabinfo(host("slabinfo"))];
    assert.deepEqual(a.header, b.header);
    assert.ok(b.caches.some(({ name }) => name === "dentry"));
    assert.ok(b.caches.some(({ name }) => name === "radix_tree_node"));
  });
});

describe("buddyinfo", () => {
  it("adds up to the free pages", () => {
    const fs = fsWithProc();
    for (let i = 0; i < 40; i++) fs.writeFileSync(`/tmp/${i}`, Buffer.alloc(i * 5000));
    for (let i = 0; i < 40; i += 2) fs.unlinkSync(`/tmp/${i}`);
    const fd = fs.openSync("/proc/buddyinfo", "r");
    const [{ node, zone, blocks }] = parseBuddyinfo(fs.readFileSync(fd, "utf8"));
    assert.deepEqual([node, zone, blocks.length], [0, "Normal", 10]);
    const pages = blocks.reduce((sum, nr, order) => sum + nr * 2 ** order, 0);
    assert.equal(pages, fs.kernel.vmstat().nr_free_pages);
    fs.closeSync(fd);
  });

  onHost("has the host's columns", () => {
    const theirs = host("buddyinfo").split("\n")[0];
    const own = ours("buddyinfo").split("\n")[0];
    assert.ok(parseBuddyinfo(host("buddyinfo")).length > 0);
    assert.equal(own.slice(0, 24).replace("Normal", "DMA").length + 3, theirs.slice(0, 24).length);
  });
});

describe("swaps", () => {
  it("has a line for each area, in the order in which they were turned on, and meminfo their sums", () => {
    const fs = fsWithProc({ memoryLimit: 8 * 2 ** 20 });
    const [first, second] = [new MockSwap(1000), new MockSwap(2500)];
    fs.kernel.swapOn(first);
    fs.kernel.swapOn(Object.assign(second, { name: "/two\twords", type: "partition" }), { priority: 3 });
    fs.mkdirSync("/t");
    fs.kernel.mount({ type: "tmpfs", target: "/t", data: "size=64m" });
    fs.writeFileSync("/t/a", Buffer.alloc(12 * 2 ** 20, 1));
    fs.readSync(fs.openSync("/t/a", "r"), Buffer.alloc(10 * PAGE_BYTES), 0, 10 * PAGE_BYTES, 0);
    const [[name, type, size, used, priority], other] = parseSwaps(ours("swaps", fs)).areas;
    assert.deepEqual([name, type, size, used, priority], ["swap0", "memory", "4000", "0", "-2"]);
    assert.deepEqual(other.slice(0, 3), ["/two\\011words", "partition", "10000"]);
    assert.equal(other[4], "3");
    const info = parseMeminfo(ours("meminfo", fs));
    assert.equal(info.get("SwapTotal"), 14_000);
    assert.equal(info.get("SwapFree"), 14_000 - Number(other[3]));
    assert.ok((info.get("SwapCached") ?? 0) >= 40);
    const stat = parseVmstat(ours("vmstat", fs));
    assert.equal(stat.get("pswpout"), second.pagesWritten);
    assert.equal(stat.get("pswpin"), second.pagesRead);
  });

  it("has no area", () => {
    assert.deepEqual(parseSwaps(ours("swaps")).areas, []);
  });
  onHost("has the host's header", () => {
    assert.equal(ours("swaps").split("\n")[0], host("swaps").split("\n")[0]);
  });
});

describe("self/status", () => {
  it("tells who a task is", () => {
    const fs = fsWithProc();
    const user = fs.kernel.task({ uid: 1000, gid: 100, groups: [27, 4], umask: 0o027 });
    const shown = parseStatus(user.readFileSync("/proc/self/status", "utf8"));
    assert.equal(shown.get("Pid"), "2");
    assert.equal(shown.get("Uid"), "1000\t1000\t1000\t1000");
    assert.equal(shown.get("Gid"), "100\t100\t100\t100");
    assert.equal(shown.get("Groups"), "27 4 ");
    assert.equal(shown.get("Umask"), "0027");
    assert.equal(shown.get("State"), "R (running)");
    assert.equal(parseStatus(user.readFileSync("/proc/1/status", "utf8")).get("State"), "S (sleeping)");
  });

  it("has a table of descriptors that grows by doubling", () => {
    const fs = fsWithProc();
    const size = () => parseStatus(ours("self/status", fs)).get("FDSize");
    fs.writeFileSync("/tmp/f", "");
    assert.equal(size(), "64");
    for (let i = 0; i < 70; i++) fs.openSync("/tmp/f", "r");
    assert.equal(size(), "128");
  });

  onHost("has lines that the host has, in its order and form", () => {
    const [a, b] = [parseStatus(ours("self/status")), parseStatus(host("self/status"))];
    assert.deepEqual(unknownTo(b.keys(), a.keys()), []);
    assert.deepEqual(
      [...b.keys()].filter((name) => a.has(name)),
      [...a.keys()],
    );
    const form = (text = "") => text.replace(/\d+/g, "n").replace(/\((running|sleeping)\)/, "(state)");
    for (const name of ["Umask", "Pid", "Uid", "Gid", "FDSize", "Threads"])
      assert.equal(form(a.get(name)), form(b.get(name)), name);
  });
});

describe("self/io", () => {
  it("counts what has gone through files that are not in memory, proc's too", () => {
    const fs = fsWithProc();
    const before = parseIo(ours("self/io", fs));
    const { length } = ours("meminfo", fs);
    const after = parseIo(ours("self/io", fs));
    const read = Number(after.get("rchar")) - Number(before.get("rchar"));
    const ioBytes = [...before].map(([name, n]) => `${name}: ${n}\n`).join("").length;
    assert.equal(read, length + ioBytes);
  });

  onHost("has the host's lines", () => {
    assert.deepEqual([...parseIo(ours("self/io")).keys()], [...parseIo(host("self/io")).keys()]);
  });
});

describe("sys/fs", () => {
  it("counts open files, inodes and names", () => {
    const fs = fsWithProc();
    fs.writeFileSync("/tmp/f", "");
    const before = parseNumbers(ours("sys/fs/file-nr", fs))[0];
    const fds = [1, 2, 3].map(() => fs.openSync("/tmp/f", "r"));
    assert.equal(parseNumbers(ours("sys/fs/file-nr", fs))[0], before + 3);
    for (const fd of fds) fs.closeSync(fd);
    const stat = fs.kernel.vmstat();
    const near = (shown: number, counted: number) => assert.ok(Math.abs(shown - counted) <= 4, `${shown} ${counted}`);
    near(parseNumbers(ours("sys/fs/inode-nr", fs))[0], stat.nr_inodes);
    near(parseNumbers(ours("sys/fs/dentry-state", fs))[0], stat.nr_dentries);
    assert.equal(parseNumbers(ours("sys/fs/nr_open", fs))[0], 2 ** 20);
  });

  onHost("has the host's columns", () => {
    for (const name of ["dentry-state", "file-max", "file-nr", "inode-nr", "inode-state", "nr_open"]) {
      const path = `sys/fs/${name}`;
      assert.equal(parseNumbers(ours(path)).length, parseNumbers(host(path)).length, name);
    }
  });
});

describe("what a file system says of itself", () => {
  it("cannot break lines", () => {
    const odd: FileSystemType = {
      ...ramfs,
      name: "odd#type",
      superOps: { statfs: libfs.simpleStatfs, showOptions: () => "note=two words\nand\\more" },
    };
    const fs = fsWithProc({ types: [odd] });
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "odd#type", source: "#1 of\t2", target: "/m" });
    const line = ours("mounts", fs).split("\n").at(-2);
    assert.equal(line, "\\0431\\040of\\0112 /m odd\\043type rw,relatime,note=two\\040words\\012and\\134more 0 0");
  });
});
