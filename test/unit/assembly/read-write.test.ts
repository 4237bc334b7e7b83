import { strict as assert } from "node:assert";
import fc from "fast-check";
import { afterEach, describe, it } from "vitest";
import { EBADF, EFBIG, EISDIR, ENOSPC, ENXIO } from "../../../src/base/errno.ts";
import type { FileHandle, InodeHandle } from "../../../src/base/handles.ts";
import {
  FMODE_APPEND,
  FMODE_READ,
  FMODE_WRITE,
  INODE_DIRTIED_CS,
  INODE_MODE,
  INODE_MTIME_SEC,
  INODE_NR_PAGES,
  SUPER_BLOCK_MAX_BYTES,
  TASK_FILE_SIZE_LIMIT,
} from "../../../src/wasm/layout.ts";
import {
  anyNumber,
  checkModel,
  double,
  framesInUse,
  NOW_MS,
  shadowOf,
  verify,
  World,
  word,
} from "../../helpers/core.ts";
import { SparseFile } from "../../helpers/sparse-file.ts";

const PAGE = 4096;
const MAX_BYTES = 2 ** 44;
const READ_WRITE = FMODE_READ | FMODE_WRITE;

/** A file of the core beside the model: bytes with holes. */
class OpenFile {
  readonly world: World;
  readonly inode: InodeHandle;
  readonly file: FileHandle;
  readonly model = new SparseFile();

  constructor(world: World, name: string, mode = READ_WRITE) {
    this.world = world;
    const dentry = world.make(world.root, name, 0o100644);
    this.inode = world.inodeOf(dentry);
    this.file = world.x.fileOpen(world.mnt, dentry, 0, mode) as FileHandle;
  }

  write(pos: number, bytes: Uint8Array): void {
    assert.equal(this.world.write(this.file, bytes, pos), bytes.length);
    this.model.write(pos, bytes);
  }

  read(pos: number, len: number): void {
    assert.deepEqual(this.world.read(this.file, len, pos), this.model.read(pos, len));
  }

  truncate(size: number): void {
    assert.equal(this.world.x.truncate(this.inode, size, NOW_MS), 0);
    this.model.truncate(size);
  }

  punch(start: number, end: number): void {
    this.world.x.punchHole(this.inode, start, end);
    this.model.punch(start, end);
  }

  allocate(start: number, end: number): void {
    assert.equal(this.world.x.allocateRange(this.inode, start, end), 0);
    this.model.allocate(start, end);
  }

  /** Where no page is, leaves a shadow: a hole as before, to all data. */
  remember(pos: number, any: number): void {
    const index = Math.floor(pos / PAGE);
    if (this.model.indexes().includes(index) || this.model.promised.has(index)) return;
    assert.equal(this.world.x.indexStore(this.inode, index, shadowOf(any)), 0);
  }

  seek(pos: number): void {
    assert.equal(this.world.x.seekData(this.inode, pos), this.model.seekData(pos) ?? -ENXIO);
    assert.equal(this.world.x.seekHole(this.inode, pos), this.model.seekHole(pos) ?? -ENXIO);
  }

  /** Through linear memory: copyFromUser, copyToUser. */
  copyThrough(pos: number, bytes: Uint8Array, at: number): void {
    const { core } = this.world;
    core.u8.set(bytes, at);
    assert.equal(core.x.copyFromUser(this.inode, pos, at, bytes.length), bytes.length);
    this.model.write(pos, bytes);
    const back = core.x.copyToUser(this.inode, pos - 1, at, bytes.length);
    assert.deepEqual(core.u8.slice(at, at + back), this.model.read(pos - 1, bytes.length));
  }

  check(): void {
    assert.equal(this.world.sizeOf(this.inode), this.model.size);
    assert.equal(word(this.world.core, this.inode, INODE_NR_PAGES), this.model.nrPages);
    assert.equal(word(this.world.core, this.inode, INODE_DIRTIED_CS), this.model.promised.size);
    for (const index of this.model.indexes()) this.read(index * PAGE, PAGE);
  }
}

/** Positions at page edges, inside pages, far out, and at the end of what is possible. */
const anyPos = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 40_000 }) },
  { weight: 3, arbitrary: fc.nat({ max: 12 }).map((page) => page * PAGE) },
  { weight: 2, arbitrary: fc.nat({ max: 600_000 }) },
  { weight: 1, arbitrary: fc.nat({ max: 2 ** 20 }).map((page) => page * PAGE * 4095 + 17) },
  { weight: 1, arbitrary: fc.nat({ max: 9000 }).map((back) => MAX_BYTES - 9001 - 40_000 + back) },
);
const anyLen = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 200 }) },
  { weight: 2, arbitrary: fc.constantFrom(1, PAGE, 2 * PAGE, PAGE - 1, PAGE + 1) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 40_000 }) },
);
const operation = fc.record({
  kind: fc.constantFrom(
    ..."write write write read read read truncate punch allocate seek seek copy user shrink same shadow shadow".split(
      " ",
    ),
  ),
  pos: anyPos,
  to: anyPos,
  len: anyLen,
  any: anyNumber,
});

function someBytes(len: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(len);
  for (let i = 0; i < len; i++) bytes[i] = 1 + ((seed + i * 7) % 255);
  return bytes;
}

interface Operation {
  kind: string;
  pos: number;
  to: number;
  len: number;
  any: number;
}

function apply(files: OpenFile[], op: Operation, buffer: number) {
  const file = files[op.any & 1];
  switch (op.kind) {
    case "write":
      return file.write(op.pos, someBytes(op.len, op.any));
    case "read":
      return file.read(op.pos, op.len);
    case "truncate":
      return file.truncate(op.pos);
    case "shrink":
      return file.truncate(Math.floor(file.model.size / 2));
    case "shadow":
      return file.remember(op.pos, op.any);
    case "same":
      return file.truncate(file.model.size);
    case "punch":
      return file.punch(op.pos, op.pos + op.len);
    case "allocate":
      return file.allocate(op.pos, op.pos + op.len);
    case "seek":
      return file.seek(op.pos);
    case "copy":
      return copy(file, files[(op.any >> 1) & 1], op);
    case "user":
      return file.copyThrough(op.pos + 1, someBytes(op.len, op.any), buffer);
  }
}

function copy(from: OpenFile, to: OpenFile, { pos, to: target, len }: Operation): void {
  if (from === to && Math.abs(pos - target) < len) return; // the VFS refuses ranges that overlap
  const copied = from.world.x.copyRange(from.inode, pos, to.inode, target, len);
  assert.equal(copied, to.model.copyFrom(from.model, pos, target, len));
}

const worlds: World[] = [];
function newWorld(options = {}): World {
  const world = new World(options);
  worlds.push(world);
  return world;
}
afterEach(() => {
  for (const world of worlds.splice(0)) world.dispose();
});

describe("data of files", () => {
  it("is as in a byte array with holes, whatever is written, cut, punched, allocated and copied", () => {
    checkModel(operation, 100, (ops) => {
      const world = new World();
      const files = [new OpenFile(world, "a"), new OpenFile(world, "b")];
      const buffer = world.x.allocBuffer(4);
      for (const op of ops) apply(files, op, buffer * PAGE);
      verify(world.core);
      for (const file of files) file.check();
      world.x.freePages(buffer, 16);
      world.dispose();
    });
  });

  it("lies in contiguous frames when it is written in large pieces", () => {
    const world = newWorld();
    const { file } = new OpenFile(world, "f");
    world.x.freePages(world.x.allocPages(9), 512); // memory has grown: before it does, what is free is used in pieces
    assert.equal(world.x.writeBegin(file, 0, 2 ** 20, NOW_MS, 0), 2 ** 20);
    world.x.writeEnd(2 ** 20);
    assert.equal(world.x.readBegin(file, 0, 2 ** 20), 2 ** 20);
  });

  it("lies in contiguous frames when it is written page by page", () => {
    const world = newWorld();
    const file = new OpenFile(world, "f");
    for (let i = 0; i < 64; i++) file.write(i * PAGE, someBytes(PAGE, i));
    let nrRuns = 0;
    for (let pos = 0; pos < 64 * PAGE; nrRuns++) pos += world.x.readBegin(file.file, pos, 64 * PAGE - pos);
    assert.ok(nrRuns <= 8, `${nrRuns} runs`);
  });

  it("costs nothing where it is a hole", () => {
    const world = newWorld();
    const file = new OpenFile(world, "f");
    file.truncate(2 ** 30);
    assert.equal(word(world.core, file.inode, INODE_NR_PAGES), 0);
    file.write(5 * 2 ** 30, someBytes(1, 1));
    assert.equal(word(world.core, file.inode, INODE_NR_PAGES), 1);
    assert.equal(world.sizeOf(file.inode), 5 * 2 ** 30 + 1);
  });

  it("moves the position of the file only when that is used", () => {
    const world = newWorld();
    const { file } = new OpenFile(world, "f");
    world.write(file, someBytes(10, 1), -1);
    world.write(file, someBytes(10, 2), 100);
    assert.equal(world.core.filePos(file), 10);
    assert.equal((world.read(file, 200, -1) as Uint8Array).length, 100);
    assert.equal(world.core.filePos(file), 110);
    assert.equal((world.read(file, 10, -1) as Uint8Array).length, 0);
    assert.equal(world.core.filePos(file), 110);
  });

  it("is appended at the end whatever the position", () => {
    const world = newWorld();
    const { file, inode } = new OpenFile(world, "f", READ_WRITE | FMODE_APPEND);
    world.write(file, someBytes(5, 1), 3);
    world.write(file, someBytes(5, 2), -1);
    assert.equal(world.sizeOf(inode), 10);
    assert.equal(world.core.filePos(file), 10);
    assert.deepEqual(world.read(file, 10, 0), new Uint8Array([...someBytes(5, 1), ...someBytes(5, 2)]));
  });

  it("is refused to files not open for it, and to directories", () => {
    const world = newWorld();
    assert.equal(world.write(new OpenFile(world, "r", FMODE_READ).file, someBytes(1, 1), 0), -EBADF);
    assert.equal(world.read(new OpenFile(world, "w", FMODE_WRITE).file, 1, 0), -EBADF);
    const dir = world.x.fileOpen(world.mnt, world.root, 0, FMODE_READ) as FileHandle;
    assert.equal(world.read(dir, 1, 0), -EISDIR);
  });

  it("ends at the limits of file system and task", () => {
    const world = newWorld();
    const file = new OpenFile(world, "f");
    world.core.f64[(world.sb << 2) + SUPER_BLOCK_MAX_BYTES] = 10_000;
    assert.equal(world.write(file.file, someBytes(100, 1), 10_000), -EFBIG);
    assert.equal(world.write(file.file, someBytes(100, 1), 9_950), 50);
    assert.equal(world.x.setSize(file.inode, 10_001, NOW_MS), -EFBIG);
    world.core.f64[(world.task << 2) + TASK_FILE_SIZE_LIMIT] = 5_000;
    assert.equal(world.write(file.file, someBytes(100, 1), 5_000), -EFBIG);
    assert.equal(world.write(file.file, someBytes(100, 1), 4_990), 10);
    assert.equal(world.x.setSize(file.inode, 6_000, NOW_MS), 0);
    assert.equal(world.x.setSize(file.inode, 6_001, NOW_MS), -EFBIG);
  });

  it("reaches the largest page index", () => {
    const world = newWorld();
    const file = new OpenFile(world, "f");
    file.write(MAX_BYTES - 5000, someBytes(5000, 1));
    file.read(MAX_BYTES - 9000, 20_000);
    file.seek(0);
    file.punch(MAX_BYTES - 4095, MAX_BYTES);
    file.truncate(MAX_BYTES);
    file.check();
    assert.equal(world.write(file.file, someBytes(2, 1), MAX_BYTES), -EFBIG);
  });

  it("survives lengths close to 2^32", () => {
    const world = newWorld();
    const file = new OpenFile(world, "f");
    file.truncate(2 ** 40);
    assert.ok(world.x.readBegin(file.file, 4095, 2 ** 32 - 1) > 0);
    file.write(2 ** 33, someBytes(3, 3));
    assert.ok(world.x.readBegin(file.file, 2 ** 33 - 1, 2 ** 32 - 1) > 0);
  });

  it("takes set-ID bits away when others than root write", () => {
    const world = newWorld();
    const file = new OpenFile(world, "f");
    world.core.u32[(file.inode << 3) + INODE_MODE] = 0o106777;
    file.write(0, someBytes(1, 1));
    assert.equal(word(world.core, file.inode, INODE_MODE), 0o106777);
    world.x.setCurrent(world.newTask(1000, 1000, [0]));
    file.write(0, someBytes(1, 1));
    assert.equal(word(world.core, file.inode, INODE_MODE), 0o100777);
    world.core.u32[(file.inode << 3) + INODE_MODE] = 0o106767;
    file.write(0, someBytes(1, 1));
    assert.equal(word(world.core, file.inode, INODE_MODE), 0o102767, "one of the group, and nobody may execute");
    world.x.setCurrent(world.newTask(1000, 1000));
    file.write(0, someBytes(1, 1));
    assert.equal(word(world.core, file.inode, INODE_MODE), 0o100767);
    world.x.setCurrent(world.task);
  });
});

describe("data when memory runs out", () => {
  it("is written as far as it goes, then -ENOSPC, which changes nothing", () => {
    const world = newWorld({ limitBytes: 2 ** 20 });
    const file = new OpenFile(world, "f");
    const bytes = someBytes(2 ** 20, 1);
    const written = world.write(file.file, bytes, 0);
    assert.ok(written > 0 && written < bytes.length);
    file.model.write(0, bytes.subarray(0, written));
    verify(world.core);
    world.nowMs += 5000;
    assert.equal(world.write(file.file, bytes, written), -ENOSPC);
    assert.equal(double(world.core, file.inode, INODE_MTIME_SEC), NOW_MS / 1000);
    file.check();
    file.truncate(0);
    assert.equal(world.write(file.file, bytes.subarray(0, PAGE), 0), PAGE);
  });

  it("is allocated all or not at all", () => {
    const world = newWorld({ limitBytes: 2 ** 20 });
    const file = new OpenFile(world, "f");
    file.write(PAGE * 3, someBytes(PAGE, 1));
    const before = framesInUse(world.core);
    assert.equal(world.x.allocateRange(file.inode, 0, 2 ** 20), -ENOSPC);
    assert.equal(framesInUse(world.core), before);
    file.check();
  });
});
