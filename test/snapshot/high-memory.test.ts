/**
 * Records and data above 2 GiB: addresses whose top bit is set reach JavaScript as negative numbers where somebody
 * forgets to make them unsigned.
 *
 * The memory below is taken away without touching it, so this needs 4 GiB of address space but few of real memory.
 * FOLIOFS_NO_HIGH_MEMORY=1 leaves it out where address space is limited (ulimit -v).
 */
import { strict as assert } from "node:assert";
import { afterEach, describe, it } from "vitest";
import type { DentryHandle } from "../../src/base/handles.ts";
import { createFsSync, type FolioFs, MS_BIND, MS_NOATIME, MS_REMOUNT, restoreFsSync } from "../../src/index.ts";
import { inodeOf, walk } from "../../src/vfs/namei.ts";
import type { Task } from "../../src/vfs/task.ts";
import { LOOKUP_FOLLOW, MAX_ORDER, SECTION_DESCRIPTOR_FRAMES, SECTION_FRAMES } from "../../src/wasm/layout.ts";
import { describeMounts, describeTree } from "../helpers/describe-tree.ts";
import { outcomeOf } from "../helpers/subject.ts";

const isLeftOut = process.env.FOLIOFS_NO_HIGH_MEMORY === "1";
if (isLeftOut) console.warn("high-memory: skipped, FOLIOFS_NO_HIGH_MEMORY is set");

const LIMIT = 2 ** 32 - 65536;
const HIGH_PFN = 2 ** 31 / 4096;
const HIGH_HANDLE = 2 ** 31 / 32;
const MAX_RSS_BYTES = 400 * 2 ** 20;

let taken: number[] = [];
let fs: FolioFs | undefined;

afterEach(() => {
  fs?.kernel.destroy();
  fs = undefined;
  taken = [];
});

/** A file system whose next frames lie above 2 GiB; `taken` gets the blocks below. */
function highFs(options: { preallocate: boolean }): FolioFs {
  const made = createFsSync({ memoryLimit: LIMIT, ...options });
  const { x } = made.kernel.vfs.core;
  const high: [pfn: number, nr: number][] = []; // given back at the end: what is free and has been used goes first
  for (let order = MAX_ORDER; order >= 0; order--) {
    for (let pfn = x.allocBuffer(order); pfn !== 0; pfn = x.allocBuffer(order)) {
      if (pfn >= HIGH_PFN) {
        high.push([pfn, 1 << order]);
        break;
      }
      taken.push(pfn, 1 << order);
    }
  }
  for (const [pfn, nr] of high) x.freePages(pfn, nr);
  fs = made;
  return made;
}

function giveBack(made: FolioFs): void {
  for (let i = 0; i < taken.length; i += 2) made.kernel.vfs.core.x.freePages(taken[i], taken[i + 1]);
  taken = [];
}

/** Every kind of record and call, on what lies up there. */
function useAll(made: FolioFs): void {
  const { kernel } = made;
  // Slabs that lie low are filled first.
  made.mkdirSync("/fill");
  for (let i = 0; i < 300; i++) made.writeFileSync(`/fill/${i}-${"n".repeat(40)}`, "x");
  const before = process.memoryUsage().rss;
  made.mkdirSync("/dir/sub", { recursive: true });
  const data = Buffer.alloc(3 * 2 ** 20, "pattern ");
  made.writeFileSync("/dir/file", data);
  assert.deepEqual(made.readFileSync("/dir/file"), data);
  assert.equal(made.readFileSync("/dir/file", "utf8").length, data.length);
  made.symlinkSync(`${"sub/../".repeat(50)}file`, "/dir/link");
  assert.equal(made.readlinkSync("/dir/link").length, 50 * 7 + 4);
  assert.equal(made.statSync("/dir/link").size, data.length);
  made.linkSync("/dir/file", `/dir/${"long".repeat(60)}`);
  made.renameSync(`/dir/${"long".repeat(60)}`, "/dir/hard");
  assert.equal(made.realpathSync("/dir/link"), "/dir/file");

  const fd = made.openSync("/dir/file", "r+");
  assert.equal(made.writeSync(fd, "HIGH", 4096 * 3 - 2), 4);
  const piece = Buffer.alloc(16);
  assert.equal(made.readSync(fd, piece, 0, 16, 4096 * 3 - 2), 16);
  assert.equal(piece.toString("latin1", 0, 4), "HIGH");
  assert.equal(made.readSync(fd, Buffer.alloc(4096), 0, 4096, 4096), 4096);
  made.flockSync(fd, 2);
  made.fallocateSync(fd, 3, 8192, 8192);
  assert.equal(made.lseekSync(fd, 0, 4), 8192);
  made.ftruncateSync(fd, 2 ** 20);
  made.copyFileSync("/dir/file", "/dir/copy");
  assert.deepEqual(made.readFileSync("/dir/copy"), made.readFileSync("/dir/file"));
  made.closeSync(fd);

  const groups = Array.from({ length: 300 }, (_, i) => 100 + i);
  const task = kernel.task({ uid: 1, gid: 1, groups, cwd: "/dir", umask: 0o027 });
  made.chownSync("/dir/copy", 0, 399);
  made.chmodSync("/dir/copy", 0o640);
  assert.equal(task.readFileSync("copy").length, 2 ** 20);
  made.chownSync("/dir/copy", 0, 400);
  assert.equal(
    outcomeOf(() => task.readFileSync("copy")),
    "EACCES",
  );

  kernel.mount({ type: "ramfs", target: "/dir/sub", source: "a name that takes a string ".repeat(5) });
  kernel.mount({ source: "/dir", target: "/fill", flags: MS_BIND });
  made.writeFileSync("/dir/sub/in-the-mount", "m");
  assert.equal(kernel.mounts().length, 3);
  assert.equal(made.readFileSync("/fill/file").length, 2 ** 20);
  assert.equal(
    outcomeOf(() => made.renameSync("/fill/file", "/dir/sub/x")),
    "EXDEV",
  );
  assert.equal(
    outcomeOf(() => kernel.umount("/dir/sub")),
    "ok",
  );
  kernel.mount({ type: "ramfs", target: "/dir/sub" });
  made.writeFileSync("/dir/sub/in-the-mount", "m");

  const names = made.readdirSync("/dir");
  assert.deepEqual(names, ["copy", "file", "hard", "link", "sub"]);
  const dir = made.opendirSync("/dir");
  assert.equal(dir.readSync()?.name, "copy");
  dir.closeSync();
  const tmp = made.openSync("/dir", made.constants.O_RDWR | 0o20200000);
  made.writeSync(tmp, "nameless");
  assert.ok(process.memoryUsage().rss - before < MAX_RSS_BYTES);
}

describe.skipIf(isLeftOut).each([true, false])("above 2 GiB (preallocate: %s)", (preallocate) => {
  it("records and data are as good as below", () => {
    const made = highFs({ preallocate });
    const rss = process.memoryUsage().rss;
    assert.ok(rss < MAX_RSS_BYTES * 2, `${rss} bytes of real memory`);
    useAll(made);
    const { core } = made.kernel.vfs;
    assert.ok(core.arrayBuffer.byteLength > 2 ** 31);
    const pfn = core.x.allocBuffer(0);
    assert.ok(pfn >= HIGH_PFN, `frame ${pfn} lies low`);
    core.x.freePages(pfn, 1);
    const dentry = walk(made.kernel.vfs.newTask({}) as Task, "/dir/copy", LOOKUP_FOLLOW) as DentryHandle;
    assert.ok(dentry >= HIGH_HANDLE, `dentry ${dentry} lies low`);
    assert.ok(inodeOf(core, dentry) >= HIGH_HANDLE, `inode ${inodeOf(core, dentry)} lies low`);
    made.kernel.verify();
  });

  it("snapshots and forks carry what lies there", () => {
    const made = highFs({ preallocate });
    useAll(made);
    giveBack(made);
    // So that to look changes nothing.
    for (const { target } of made.kernel.mounts())
      made.kernel.mount({ target, flags: MS_REMOUNT | MS_BIND | MS_NOATIME });
    const tree = describeTree(made);
    const mounts = describeMounts(made);
    const bytes = made.kernel.snapshot();
    const sections = Math.ceil(HIGH_PFN / SECTION_FRAMES);
    assert.ok(bytes.length < 16 * 2 ** 20 + sections * SECTION_DESCRIPTOR_FRAMES * 4096, `${bytes.length} bytes`);
    const fork = made.kernel.fork().fs;
    assert.deepEqual(describeTree(fork), tree);
    fork.kernel.destroy();
    const again = restoreFsSync(bytes, { memoryLimit: LIMIT, preallocate });
    assert.deepEqual(describeMounts(again), mounts);
    assert.deepEqual(describeTree(again), tree);
    assert.deepEqual(again.kernel.snapshot(), bytes);
    again.kernel.verify();
    again.kernel.destroy();
  });
});
