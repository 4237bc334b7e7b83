import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { ENOMEM, ENOSPC, EOPNOTSUPP } from "../../../src/base/errno.ts";
import type {
  DentryHandle,
  FileHandle,
  InodeHandle,
  MountHandle,
  SuperBlockHandle,
} from "../../../src/base/handles.ts";
import { FMODE_READ, FMODE_WRITE, PAGE_SIZE, SB_COMPLETE, SB_MEMORY } from "../../../src/wasm/layout.ts";
import { anyNumber, checkModel, framesInUse, NOW_MS, verify, World } from "../../helpers/core.ts";
import { digestOf } from "../../helpers/digest.ts";

const LATER_MS = NOW_MS + 60_000;
const LONG = "long".repeat(60);

/** A world with a bit of everything, in which operations are made to fail. */
class Stage {
  readonly world = new World();
  readonly dir: DentryHandle;
  readonly fileDentry: DentryHandle;
  readonly inode: InodeHandle;
  readonly file: FileHandle;
  readonly other: InodeHandle;

  constructor() {
    const { world } = this;
    this.dir = world.make(world.root, "dir", 0o40755);
    this.fileDentry = world.make(world.root, "file", 0o100644);
    this.inode = world.inodeOf(this.fileDentry);
    this.file = world.x.fileOpen(world.mnt, this.fileDentry, 0, FMODE_READ | FMODE_WRITE) as FileHandle;
    world.write(this.file, new Uint8Array(3 * PAGE_SIZE).fill(7), 0);
    this.other = world.inodeOf(world.make(this.dir, "other", 0o100644));
    world.makeLink(this.dir, "link", "target");
    world.nowMs = LATER_MS;
  }
}

/** Something that may run out of memory. Answers a handle or 0, or a negated errno. */
type Attempt = (stage: Stage) => number;

const ATTEMPTS: Record<string, Attempt> = {
  "make a file": ({ world, dir }) => world.make(dir, "new", 0o100644),
  "make a file with a long name": ({ world, dir }) => world.make(dir, LONG, 0o100644),
  "make a directory": ({ world, dir }) => world.make(dir, "new", 0o40755),
  "make a symbolic link": ({ world, dir }) => world.makeLink(dir, LONG, "t"),
  "make a symbolic link with a long target": ({ world, dir }) => world.makeLink(dir, "new", "t".repeat(3000)),
  "make a file by its path": ({ world }) => {
    const dentry = world.makeByPath(`/dir/${LONG}`, 0o666);
    return dentry === 0 ? -ENOMEM : dentry; // the VFS then finds out why
  },
  "make a directory by its path": ({ world }) => {
    const rc = world.mkdirByPath(`/dir/${LONG}`, 0o777);
    return rc === -EOPNOTSUPP ? -ENOMEM : rc;
  },
  "make a symbolic link with the longest target": ({ world, dir }) => world.makeLink(dir, LONG, "t".repeat(4095)),
  "make a hard link": ({ world, dir, inode }) => world.hardLink(inode, dir, LONG),
  "make a nameless file": ({ world, dir }) => {
    const dentry = world.x.simpleTmpfile(dir, 0o100600, 0, LATER_MS);
    if (dentry > 0) world.x.dput(dentry as DentryHandle);
    return dentry;
  },
  "rename to a new name": ({ world, dir, fileDentry }) => world.rename(fileDentry, dir, LONG, 0 as DentryHandle),
  "rename by paths": ({ world }) => {
    const rc = world.renameByPath("/file", `/dir/${LONG}`);
    return rc === -EOPNOTSUPP ? -ENOMEM : rc; // the VFS then finds out why
  },
  "open a file": ({ world, fileDentry }) => world.x.fileOpen(world.mnt, fileDentry, 0, FMODE_READ),
  "make a task": ({ world }) => {
    const cred = world.x.credNew(5, 5, 40);
    if (cred < 0) return cred;
    const task = world.x.taskNew(cred, 0, world.mnt, world.root);
    if (task < 0) world.x.credPut(cred);
    return task;
  },
  "make credentials with many groups": ({ world }) => {
    const cred = world.x.credNew(5, 5, 5000);
    if (cred > 0) world.x.credPut(cred);
    return cred;
  },
  "mount a file system": ({ world, dir }) => {
    const { x } = world;
    const sb = x.superNew(0, SB_MEMORY | SB_COMPLETE) as SuperBlockHandle;
    if (sb < 0) return sb;
    const root = x.makeRoot(sb, 0o755, 0, 0, 0, NOW_MS);
    const mnt = root < 0 ? root : x.mountNew(sb, root as DentryHandle, 0);
    if (mnt > 0) x.mountAttach(mnt as MountHandle, world.mnt, dir);
    else {
      x.superShrink(sb);
      x.superFree(sb);
    }
    return mnt;
  },
  "take a lock": ({ world, file }) => world.x.flock(file, 1),
  "write a byte into a hole": ({ world, file }) => world.write(file, new Uint8Array([1]), 2 ** 40),
  "write over the end of the last page": ({ world, file }) => world.write(file, new Uint8Array([1]), 3 * PAGE_SIZE),
  "allocate blocks": ({ world, other }) => world.x.allocateRange(other, 5000, 1_000_000),
  "allocate blocks far apart": ({ world, inode }) => world.x.allocateRange(inode, 2 ** 30 - 1, 2 ** 30 + 1),
  "make a page": ({ world, other }) => world.x.findOrCreatePage(other, 2 ** 31) || -ENOMEM,
  "store an index entry": ({ world, other }) => {
    const rc = world.x.indexStore(other, 2 ** 32 - 1, 1);
    if (rc === 0) world.x.indexErase(other, 2 ** 32 - 1);
    return rc;
  },
  "cache a page": ({ world, other }) => {
    const pfn = world.x.allocPages(0);
    if (pfn === 0) return -ENOMEM;
    const rc = world.x.addToPageCache(other, 5, pfn);
    if (rc < 0) return world.x.putPage(pfn) ?? rc;
    world.x.removeFromPageCache(other, 5);
    return world.x.putPage(pfn) ?? 0;
  },
  "copy a byte between files": ({ world, inode, other }) => world.x.copyRange(inode, 10, other, 2 ** 35, 1),
  "take memory": ({ world }) => {
    const address = world.x.kmalloc(3000) >>> 0;
    if (address) world.x.kfree(address);
    return address ? 0 : -ENOMEM;
  },
};

/** Lets the 1st, 2nd, ... allocation of an attempt fail until it succeeds. @returns how many failures there were */
function failEverywhere(stage: Stage, attempt: Attempt): number {
  const { world } = stage;
  for (let n = 1; n < 1000; n++) {
    const frames = framesInUse(world.core);
    const before = digestOf(world.core);
    world.x.setFailAfter(n);
    const rc = attempt(stage);
    world.x.setFailAfter(0);
    verify(world.core);
    if (rc >= 0) return n - 1;
    assert.ok(rc === -ENOMEM || rc === -ENOSPC, `answered ${rc}`);
    assert.equal(digestOf(world.core), before, `failure ${n} changed something`);
    assert.equal(framesInUse(world.core), frames, `failure ${n} leaked`);
  }
  return assert.fail("never succeeds");
}

describe("running out of memory at any allocation", () => {
  for (const [name, attempt] of Object.entries(ATTEMPTS)) {
    it(`changes and leaks nothing: ${name}`, () => {
      const stage = new Stage();
      assert.ok(failEverywhere(stage, attempt) > 0, "nothing was allocated");
      const { x, mnt } = stage.world;
      const child = x.mountLookup(mnt, stage.dir) as MountHandle;
      if (child) {
        const sb = stage.world.core.u32[child << 3] >>> 5;
        x.mountDetach(child);
        x.mountPut(child);
        x.superShrink(sb as SuperBlockHandle);
        x.superFree(sb as SuperBlockHandle);
      }
      stage.world.dispose();
    });
  }

  it("writes as much as there is room for, and frees the rest", () => {
    const stage = new Stage();
    const { world, file, inode } = stage;
    const bytes = Uint8Array.from({ length: 300 * PAGE_SIZE }, (_, i) => (i * 31) >>> 8);
    const before = framesInUse(world.core);
    for (let n = 1; n < 100; n++) {
      world.x.setFailAfter(n);
      const written = world.write(file, bytes, 3 * PAGE_SIZE);
      world.x.setFailAfter(0);
      verify(world.core);
      if (written < 0) assert.equal(written, -ENOSPC);
      else assert.deepEqual(world.read(file, bytes.length, 3 * PAGE_SIZE), bytes.subarray(0, written));
      world.x.truncate(inode, 3 * PAGE_SIZE, LATER_MS);
      assert.equal(framesInUse(world.core), before);
    }
    world.dispose();
  });

  it("is survived by any sequence of operations, each of which happens or does not", () => {
    const operation = fc.record({
      kind: fc.constantFrom("file", "dir", "link", "rename", "write", "allocate", "unlink"),
      name: fc.nat({ max: 9 }),
      any: anyNumber,
      failAfter: fc.integer({ min: 1, max: 14 }),
    });
    checkModel(operation, 60, (ops) => {
      const stage = new Stage();
      const { world, dir, file, inode } = stage;
      for (const { kind, name, any, failAfter } of ops) {
        const known = world.find(dir, `${LONG}${name}`);
        const before = digestOf(world.core);
        world.x.setFailAfter(failAfter);
        let rc = 0;
        if (kind === "write") rc = world.write(file, new Uint8Array(1 + (any % 30_000)).fill(any), any);
        else if (kind === "allocate") rc = world.x.allocateRange(inode, any, any + 20_000);
        else if (kind === "unlink" && known) world.unlink(known);
        else if (kind === "rename" && known && !world.find(world.root, `${name}-${any}`))
          rc = world.rename(known, world.root, `${name}-${any}`, 0 as DentryHandle);
        else if (!known && kind === "link") rc = world.makeLink(dir, `${LONG}${name}`, "x".repeat(1 + (any % 4000)));
        else if (!known && kind === "file") rc = world.make(dir, `${LONG}${name}`, 0o100644);
        world.x.setFailAfter(0);
        if (rc < 0) assert.equal(digestOf(world.core), before);
      }
      world.dispose();
    });
  });

  it("really: a memory of 1 MiB full of files gives all of it back", () => {
    const world = new World({ limitBytes: 2 ** 20 });
    let nr = 0;
    while (world.make(world.root, `${LONG}-${nr}`, 0o100644) > 0) nr++;
    assert.ok(nr > 1000);
    verify(world.core);
    for (let i = 0; i < nr; i++) world.unlink(world.find(world.root, `${LONG}-${i}`));
    assert.ok(world.make(world.root, "again", 0o100644) > 0);
    world.dispose();
  });
});
