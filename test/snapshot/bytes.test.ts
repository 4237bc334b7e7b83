/** The bytes of a snapshot: the same for the same file system, and refused when they are not what was written. */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import {
  createFsSync,
  type FolioFs,
  MS_BIND,
  MS_NOATIME,
  MS_REMOUNT,
  ramfs,
  restoreFs,
  restoreFsSync,
  SnapshotError,
} from "../../src/index.ts";
import { FORMAT_VERSION } from "../../src/vfs/snapshot-format.ts";
import { readHead } from "../../src/vfs/snapshot-head.ts";
import { LAYOUT_HASH } from "../../src/wasm/layout.ts";
import { describeMounts, describeTree } from "../helpers/describe-tree.ts";
import { RemoteFs, remoteDir, remoteFile } from "../helpers/remote-fs.ts";

const LIMIT = 16 * 2 ** 20;
const SMALL_BYTES = 16 * 1024;

function smallFs(): FolioFs {
  const fs = createFsSync({ memoryLimit: LIMIT });
  fs.kernel.mount({ target: "/", flags: MS_REMOUNT | MS_NOATIME }); // so that to look changes nothing
  fs.mkdirSync("/dir");
  fs.writeFileSync("/dir/file", "some data");
  fs.symlinkSync("dir/file", "/link");
  fs.linkSync("/dir/file", "/hard");
  return fs;
}

function restore(bytes: Uint8Array): FolioFs {
  return restoreFsSync(bytes, { memoryLimit: LIMIT });
}

function refusal(bytes: Uint8Array, options: Parameters<typeof restoreFsSync>[1] = { memoryLimit: LIMIT }): string {
  try {
    restoreFsSync(bytes, options);
  } catch (error) {
    if (error instanceof SnapshotError && error.code === "ERR_INVALID_SNAPSHOT") return error.message;
    throw error;
  }
  throw new Error("restored");
}

/** A copy with another number in its head. */
function withNumber(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(at, value, true);
  return copy;
}

describe("a snapshot", () => {
  it("of a restored file system is the same bytes, as often as one likes", () => {
    const bytes = smallFs().kernel.snapshot();
    assert.deepEqual(restore(bytes).kernel.snapshot(), bytes);
    assert.deepEqual(restore(restore(bytes).kernel.snapshot()).kernel.snapshot(), bytes);
  });

  it("changes nothing in the file system it is of, and is the same when taken again", () => {
    const fs = smallFs();
    const fd = fs.openSync("/dir/file", "r+");
    const before = describeTree(fs);
    const bytes = fs.kernel.snapshot();
    assert.deepEqual(fs.kernel.snapshot(), bytes);
    assert.deepEqual(describeTree(fs), before);
    assert.equal(fs.writeSync(fd, "SOME"), 4);
    assert.notDeepEqual(fs.kernel.snapshot(), bytes);
  });

  it("is the same after the file system has been looked at", () => {
    const bytes = smallFs().kernel.snapshot();
    const again = restore(bytes);
    describeTree(again);
    again.statfsSync("/");
    again.existsSync("/missing");
    again.kernel.dropCaches(3);
    assert.deepEqual(again.kernel.snapshot(), bytes);
  });

  it("does not depend on what tasks hold", () => {
    const bytes = smallFs().kernel.snapshot();
    const fs = restore(bytes);
    const task = fs.kernel.task({ uid: 7, gid: 7, groups: [1, 2, 3], cwd: "/dir" });
    const fd = task.openSync("file", "r");
    task.flockSync(fd, 1);
    fs.opendirSync("/dir").readSync();
    assert.deepEqual(fs.kernel.snapshot(), bytes);
  });

  it("leaves out free frames and holes", () => {
    const fs = smallFs();
    const small = fs.kernel.snapshot().length;
    const fd = fs.openSync("/sparse", "w");
    fs.writeSync(fd, "x", 2 ** 40);
    fs.writeFileSync("/large", Buffer.alloc(4 * 2 ** 20, 1));
    fs.unlinkSync("/large");
    const { length } = fs.kernel.snapshot();
    assert.ok(length < small + 3 * 4096, `${small} became ${length}`);
  });

  it("reads the same from a Buffer in the middle of another, and leaves it as it is", () => {
    const bytes = smallFs().kernel.snapshot();
    const room = Buffer.alloc(bytes.length + 20, 0xee);
    room.set(bytes, 7);
    const buffer = room.subarray(7, 7 + bytes.length);
    for (let i = 0; i < 2; i++) assert.equal(restore(buffer).readFileSync("/hard", "utf8"), "some data");
    assert.deepEqual(Uint8Array.from(buffer), bytes);
  });

  it("reads the same with a larger limit, preallocated or asynchronously", async () => {
    const bytes = smallFs().kernel.snapshot();
    const expected = describeTree(restore(bytes));
    assert.deepEqual(describeTree(restoreFsSync(bytes, { memoryLimit: 2 ** 30 })), expected);
    const whole = restoreFsSync(bytes, { memoryLimit: LIMIT, preallocate: true });
    assert.deepEqual(describeTree(whole), expected);
    assert.deepEqual(describeTree(await restoreFs(bytes, { memoryLimit: LIMIT })), expected);
    whole.writeFileSync("/more", Buffer.alloc(8 * 2 ** 20, 3));
    assert.equal(whole.readFileSync("/more").at(-1), 3);
    whole.kernel.verify();
  });
});

describe("bytes that are refused", () => {
  const bytes = smallFs().kernel.snapshot();

  it("every single bit flipped", () => {
    assert.ok(bytes.length <= SMALL_BYTES, `${bytes.length} bytes`);
    const flipped = bytes.slice();
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      flipped[bit >>> 3] ^= 1 << (bit & 7);
      assert.match(refusal(flipped), /^foliofs: (this|these)/);
      flipped[bit >>> 3] ^= 1 << (bit & 7);
    }
    assert.deepEqual(flipped, bytes);
  });

  it("several bytes changed", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 })), { minLength: 1 }),
        (changes) => {
          const changed = bytes.slice();
          for (const [at, mask] of changes) changed[at] ^= mask;
          fc.pre(changed.some((byte, i) => byte !== bytes[i]));
          assert.match(refusal(changed), /^foliofs: /);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("cut at every length", () => {
    for (let length = 0; length < bytes.length; length++) {
      const message = refusal(bytes.subarray(0, length));
      if (length < 64) assert.equal(message, "foliofs: these bytes are no snapshot");
      else assert.equal(message, `foliofs: this snapshot should have ${bytes.length} bytes, not ${length}`);
    }
  });

  it("bytes behind the end", () => {
    for (const more of [1, 7, 4096]) {
      const longer = new Uint8Array(bytes.length + more);
      longer.set(bytes);
      assert.match(refusal(longer), /should have \d+ bytes, not \d+/);
    }
  });

  it("foreign bytes", () => {
    const foreign = [
      new Uint8Array(),
      new Uint8Array(64),
      Buffer.from("PK\x03\x04".padEnd(5000)),
      Buffer.from("FOLIOFS\0"),
    ];
    for (const other of foreign) assert.equal(refusal(other), "foliofs: these bytes are no snapshot");
    assert.throws(() => restoreFsSync("FOLIOFS" as never), { code: "ERR_INVALID_ARG_TYPE" });
    assert.throws(() => restoreFsSync(bytes.buffer as never), { code: "ERR_INVALID_ARG_TYPE" });
  });

  it("another format version, another memory layout", () => {
    const version = withNumber(bytes, 8, FORMAT_VERSION + 1);
    const layout = withNumber(bytes, 12, LAYOUT_HASH ^ 1);
    for (const other of [version, layout]) assert.match(refusal(other), /has another format or memory layout/);
  });

  it("more memory than there may be", () => {
    const fs = smallFs();
    fs.writeFileSync("/large", Buffer.alloc(12 * 2 ** 20, 1));
    const message = refusal(fs.kernel.snapshot(), { memoryLimit: 8 * 2 ** 20 });
    assert.match(message, /needs a memoryLimit of \d+ bytes at least, not 8388608/);
    const needed = Number(/of (\d+) bytes/.exec(message)?.[1]);
    const again = restoreFsSync(fs.kernel.snapshot(), { memoryLimit: needed });
    assert.equal(again.statSync("/large").size, 12 * 2 ** 20);
    assert.throws(() => again.writeFileSync("/more", Buffer.alloc(12 * 2 ** 20)), { code: "ENOSPC" });
    again.kernel.verify();
  });
});

describe("types and mounts of a snapshot", () => {
  it("needs the types of its mounts alone", () => {
    const used = { ...ramfs, name: "usedfs" };
    const fs = createFsSync({ memoryLimit: LIMIT, types: [used, { ...ramfs, name: "unusedfs" }] });
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "usedfs", target: "/m" });
    fs.writeFileSync("/m/f", "x");
    const bytes = fs.kernel.snapshot();
    assert.equal(
      refusal(bytes),
      "foliofs: this snapshot needs the file system types usedfs: pass them as options.types",
    );
    // Types come in another order than they had: memory goes by their names.
    const again = restoreFsSync(bytes, { memoryLimit: LIMIT, types: [{ ...ramfs, name: "newfs" }, used] });
    assert.equal(again.readFileSync("/m/f", "utf8"), "x");
    assert.equal(again.kernel.mounts()[1].type, "usedfs");
  });

  it("leaves out mounts with a store elsewhere, and what hangs below them, and says so", () => {
    const remote = new RemoteFs(remoteDir({ sub: remoteDir(), f: remoteFile("remote") }));
    const fs = createFsSync({ memoryLimit: LIMIT, types: [remote.type] });
    for (const dir of ["/r", "/m", "/b"]) fs.mkdirSync(dir);
    fs.writeFileSync("/r/under", "uncovered");
    fs.kernel.mount({ type: "remotefs", target: "/r" });
    fs.kernel.mount({ type: "ramfs", target: "/r/sub" });
    fs.writeFileSync("/r/sub/lost", "x");
    fs.kernel.mount({ source: "/r", target: "/b", flags: MS_BIND });
    fs.kernel.mount({ type: "ramfs", target: "/m" });
    fs.writeFileSync("/m/kept", "y");
    fs.readFileSync("/r/f");
    fs.existsSync("/r/missing");
    const fd = fs.openSync("/r/f", "r");
    const before = describeMounts(fs);

    const bytes = fs.kernel.snapshot();
    assert.deepEqual(readHead(bytes).meta, {
      options: { memoryLimit: 16 * 2 ** 20 },
      types: ["ramfs", "tmpfs"],
      leftOut: [
        { type: "remotefs", target: "/r" },
        { type: "ramfs", target: "/r/sub" },
        { type: "remotefs", target: "/b" },
      ],
    });
    for (const again of [restore(bytes), fs.kernel.fork().fs]) {
      assert.deepEqual(
        again.kernel.mounts().map(({ target }) => target),
        ["/", "/m"],
      );
      assert.deepEqual(again.readdirSync("/r"), ["under"]);
      assert.equal(again.readFileSync("/m/kept", "utf8"), "y");
      again.rmSync("/r", { recursive: true });
      const { nr_mounts, nr_super_blocks, nr_negative_dentries, nr_files } = again.kernel.vmstat();
      assert.deepEqual([nr_mounts, nr_super_blocks, nr_negative_dentries, nr_files], [2, 2, 0, 0]);
    }
    const without = restore(bytes).kernel.snapshot(); // which has nothing left out to tell of
    assert.deepEqual(restore(without).kernel.snapshot(), without);
    assert.deepEqual(describeMounts(fs), before);
    assert.equal(fs.readFileSync(fd, "utf8"), "remote");
  });

  it("leaves out a file system whose inodes its author still holds", () => {
    const remote = new RemoteFs(remoteDir({ f: remoteFile("held") }));
    const fs = createFsSync({ memoryLimit: LIMIT, types: [remote.type] });
    fs.mkdirSync("/r");
    fs.kernel.mount({ type: "remotefs", target: "/r" });
    fs.readFileSync("/r/f");
    for (const inode of remote.nodes.keys()) fs.kernel.vfs.core.x.iget(inode);
    const again = restore(fs.kernel.snapshot());
    assert.equal(again.kernel.vmstat().nr_inodes, 2);
    for (const inode of remote.nodes.keys()) fs.kernel.vfs.core.x.iput(inode);
  });
});
