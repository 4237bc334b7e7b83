/** verify() finds what is wrong with extended attributes and locks on ranges. */
import { strict as assert } from "node:assert";
import { describe, expect, it } from "vitest";
import { LOCK_EX } from "../../../src/base/stat-flags.ts";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { F_OFD_SETLK, F_SETLK } from "../../../src/vfs/locks.ts";
import { inodeOf, ndDentry, walk } from "../../../src/vfs/namei.ts";
import { F_RDLCK, F_WRLCK } from "../../../src/vfs/record-lock.ts";
import {
  FILE_LOCK_END,
  FILE_LOCK_EXCLUSIVE,
  FILE_LOCK_NEXT,
  FILE_LOCK_OWNER,
  FILE_LOCK_START,
  INODE_FLOCKS,
  INODE_SB,
  INODE_XATTRS,
  SUPER_BLOCK_EXTRA_LINKS,
  SUPER_BLOCK_XATTR_SPACE,
  XATTR_BYTES,
  XATTR_NAME_LENGTH,
  XATTR_NEXT,
  XATTR_SIZE,
} from "../../../src/wasm/layout.ts";
import { IS_DEBUG } from "../../helpers/core.ts";

/** Address of the inode of "/f". */
function inodeAt(fs: FolioFs): number {
  const task = fs.kernel.taskOf();
  assert(walk(task, "/f", 0) > 0);
  return inodeOf(task.kernel.core, ndDentry(task.kernel.core)) << 5;
}

/** Breaks a word, expects verify() to say so, and mends it. */
function expectFound(
  fs: FolioFs,
  words: Uint32Array | Float64Array,
  at: number,
  broken: number,
  message: RegExp,
): void {
  const before = words[at];
  assert.notEqual(before, broken);
  words[at] = broken;
  assert.throws(() => fs.kernel.verify(), { message });
  words[at] = before;
  fs.kernel.verify();
}

describe.runIf(IS_DEBUG)("verify", () => {
  it("finds broken extended attributes", () => {
    using kernel = createFsSync({ memoryLimit: 16 * 2 ** 20 }).kernel;
    const { fs, linux } = kernel;
    fs.writeFileSync("/f", "");
    for (const name of ["user.a", "user.b", "user.c"]) linux.setxattrSync("/f", name, "value");
    const { u32, f64 } = kernel.vfs.core;
    const inode = inodeAt(fs);
    const first = u32[(inode >>> 2) + INODE_XATTRS] >>> 2;
    const second = u32[first + XATTR_NEXT];
    expectFound(fs, u32, first + XATTR_NEXT, 0, /xattrSpace|kmalloc/);
    expectFound(fs, u32, first + XATTR_NEXT, 64, /xattrs: the list leads astray/);
    expectFound(fs, u32, first + XATTR_NAME_LENGTH, 0, /xattrs: a name of no length/);
    expectFound(fs, u32, first + XATTR_SIZE, 70_000, /xattrs: a value that is too long/);
    expectFound(fs, u32, (second >>> 2) + XATTR_SIZE, 4, /xattrSpace is not/);
    expectFound(fs, u32, (inode >>> 2) + INODE_XATTRS, second, /xattrSpace|kmalloc/);
    const sb = u32[(inode >>> 2) + INODE_SB];
    expectFound(fs, f64, (sb >>> 3) + SUPER_BLOCK_XATTR_SPACE, 5, /xattrSpace is not/);
    expectFound(fs, u32, (sb >>> 2) + SUPER_BLOCK_EXTRA_LINKS, 0, /extraLinks is not/);
    const name = kernel.vfs.core.u8;
    const at = (first << 2) + XATTR_BYTES + 5; // the last letter of the first name
    const letter = name[at];
    name[at] = "a".charCodeAt(0);
    assert.throws(() => kernel.verify(), { message: /xattrs: not sorted/ });
    name[at] = letter;
  });

  it("finds a broken lock on a file", () => {
    using kernel = createFsSync({ memoryLimit: 16 * 2 ** 20 }).kernel;
    const { fs } = kernel;
    fs.writeFileSync("/f", "");
    kernel.linux.flockSync(fs.openSync("/f", "r"), LOCK_EX);
    const { u32, f64 } = kernel.vfs.core;
    const lock = u32[(inodeAt(fs) >>> 2) + INODE_FLOCKS];
    expectFound(fs, u32, (lock >>> 2) + FILE_LOCK_EXCLUSIVE, 2, /flock: of no type/);
    expectFound(fs, f64, (lock >>> 3) + FILE_LOCK_END, 1, /flock: /);
  });

  it("finds broken locks on ranges", () => {
    using kernel = createFsSync({ memoryLimit: 16 * 2 ** 20 }).kernel;
    const { fs, linux } = kernel;
    fs.writeFileSync("/f", "");
    const [a, b] = [fs.openSync("/f", "r+"), fs.openSync("/f", "r+")];
    linux.fcntlSync(a, F_SETLK, { type: F_WRLCK, start: 0, length: 10 });
    linux.fcntlSync(a, F_SETLK, { type: F_WRLCK, start: 20, length: 10 });
    linux.fcntlSync(b, F_OFD_SETLK, { type: F_RDLCK, start: 40, length: 10 });
    const { u32, f64 } = kernel.vfs.core;
    const first = u32[(inodeAt(fs) >>> 2) + INODE_FLOCKS];
    const second = u32[(first >>> 2) + FILE_LOCK_NEXT];
    expectFound(fs, f64, (first >>> 3) + FILE_LOCK_END, 25, /record lock: ranges of one owner/);
    expectFound(fs, f64, (first >>> 3) + FILE_LOCK_END, 19, /record lock: ranges of one owner/);
    expectFound(fs, f64, (second >>> 3) + FILE_LOCK_END, 45, /record lock: one is in the way/);
    expectFound(fs, f64, (second >>> 3) + FILE_LOCK_START, 35, /flock: .* ends before it begins/);
    expectFound(fs, u32, (first >>> 2) + FILE_LOCK_OWNER, 0, /flock: /);
    expectFound(fs, u32, (first >>> 2) + FILE_LOCK_NEXT, 0, /kmalloc/);
    expect(fs.kernel.linux.fcntlSync(b, 36, { type: F_WRLCK })).toMatchObject({ start: 0, length: 10 });
  });
});
