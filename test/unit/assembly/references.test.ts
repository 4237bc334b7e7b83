import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { EBUSY } from "../../../src/base/errno.ts";
import type { DentryHandle, FileHandle, MountHandle, SuperBlockHandle, TaskHandle } from "../../../src/base/handles.ts";
import { S_IFDIR, S_IFREG } from "../../../src/base/stat-flags.ts";
import {
  DCACHE_MOUNTED,
  DENTRY_FLAGS,
  FMODE_READ,
  FMODE_WRITE,
  INODE_COUNT,
  INODE_NLINK,
  KERNEL_NR_DENTRIES,
  KERNEL_NR_FILES,
  KERNEL_NR_INODES,
  MOUNT_CHILDREN,
  MOUNT_COUNT,
  MOUNT_PARENT,
  MOUNT_WRITERS,
  SB_COMPLETE,
  SB_EVICT,
  SB_MEMORY,
  SUPER_BLOCK_ACTIVE,
  TASK_CWD_DENTRY,
  TASK_CWD_MOUNT,
} from "../../../src/wasm/layout.ts";
import { anyNumber, checkModel, half, kernelWord, NOW_MS, pointed, verify, World, word } from "../../helpers/core.ts";
import { type Directory, isDirectory, type Name, NameTree } from "../../helpers/name-tree.ts";

const operation = fc.record({
  kind: fc.constantFrom(
    ..."make make link remove remove rename open open close dup task exit chdir chroot lock mount bind umount detach tmpfile".split(
      " ",
    ),
  ),
  name: fc.nat({ max: 12 }).map((n) => `n${n}`),
  a: anyNumber,
  b: anyNumber,
});

interface Operation {
  kind: string;
  name: string;
  a: number;
  b: number;
}

interface Mounted {
  mnt: MountHandle;
  sb: SuperBlockHandle;
}

/** Files, tasks and mounts that hold names, mounts and credentials. verify() counts what everything holds. */
class Holders extends NameTree {
  readonly files: FileHandle[] = [];
  readonly tasks: TaskHandle[] = [];
  readonly mounted: Mounted[] = [];

  isMounted(dentry: DentryHandle): boolean {
    return (half(this.world.core, dentry, DENTRY_FLAGS) & DCACHE_MOUNTED) !== 0;
  }

  apply({ kind, name, a, b }: Operation) {
    const { world } = this;
    const { x } = world;
    const directory = this.directories[a % this.directories.length];
    const one = this.names[b % this.names.length] as Name | undefined;
    const file = this.files[a % this.files.length];
    switch (kind) {
      case "make":
        return void this.make(directory, name, b % 2 ? S_IFREG : S_IFDIR);
      case "link":
        return one && this.link(one, directory, name);
      case "remove":
        return one && !this.isMounted(one.dentry) ? this.remove(one) : undefined;
      case "removeTree":
        return one && isDirectory(one.node) ? this.#removeTree(one) : undefined;
      case "rename":
        return this.#rename(one, directory, name);
      case "open":
        return one && this.#open(one.dentry, b);
      case "tmpfile": {
        const dentry = x.simpleTmpfile(directory.dentry, S_IFREG | 0o600, 0, NOW_MS) as DentryHandle;
        this.#open(dentry, FMODE_WRITE);
        return x.dput(dentry);
      }
      case "dup":
        if (file) {
          x.fileGet(file);
          this.files.push(file);
        }
        return;
      case "close":
        if (file) x.filePut(this.files.splice(a % this.files.length, 1)[0]);
        return;
      case "lock":
        if (file) x.flock(file, b % 3);
        return;
      case "task":
        return void this.tasks.push(world.newTask(a % 3, b % 3, [7, 8]));
      case "exit":
        if (this.tasks.length > 0) x.taskFree(this.tasks.splice(a % this.tasks.length, 1)[0]);
        return;
      case "chdir":
      case "chroot":
        return this.#move(kind, directory, b);
      default:
        return this.#mount(kind, directory, a, b);
    }
  }

  /** Nothing goes while something is mounted below. */
  #removeTree(one: Name): void {
    const below = this.directories.filter((directory) => this.isInside(directory, one.node));
    if (!below.some(({ dentry }) => this.isMounted(dentry))) this.removeTree(one);
    else assert.equal(this.world.x.simpleRemoveTree(one.dentry, NOW_MS), -EBUSY);
  }

  #rename(one: Name | undefined, directory: Directory, name: string): void {
    const target = this.find(directory, name);
    if (one && !this.isMounted(one.dentry) && !(target && this.isMounted(target.dentry)))
      this.rename(one, directory, name);
  }

  #open(dentry: DentryHandle, mode: number): void {
    const { world } = this;
    this.files.push(
      world.x.fileOpen(world.mnt, dentry, 0, mode & FMODE_WRITE ? FMODE_WRITE : FMODE_READ) as FileHandle,
    );
  }

  #move(kind: "chdir" | "chroot", directory: Directory, b: number): void {
    const { x, mnt } = this.world;
    const task = this.tasks[b % this.tasks.length];
    if (!task) return;
    if (kind === "chdir") x.taskSetCwd(task, mnt, directory.dentry);
    else x.taskSetRoot(task, mnt, directory.dentry);
  }

  #mount(kind: string, directory: Directory, a: number, b: number) {
    const { x, core, mnt: parent, sb } = this.world;
    if (kind === "mount" || kind === "bind") {
      if (directory === this.root || this.mounted.length > 5) return;
      const made = kind === "mount" ? this.#newMount() : { mnt: this.#bind(b), sb };
      x.mountAttach(made.mnt, parent, directory.dentry);
      this.mounted.push(made);
      if (kind === "mount" && this.tasks.length > 0 && b % 3 === 0) {
        x.taskSetCwd(this.tasks[0], made.mnt, pointed<DentryHandle>(core, made.mnt, 1));
      }
      return;
    }
    const i = a % this.mounted.length;
    const mounted = this.mounted[i];
    if (!mounted) return;
    const isBusy = word(core, mounted.mnt, MOUNT_COUNT) > 1 || word(core, mounted.mnt, MOUNT_CHILDREN) !== 0;
    if (kind === "umount" && isBusy) return;
    if (word(core, mounted.mnt, MOUNT_CHILDREN) !== 0) return;
    this.mounted.splice(i, 1);
    x.mountDetach(mounted.mnt);
    x.mountPut(mounted.mnt); // detached lazily: who stands in it keeps it
    if (mounted.sb !== sb) this.detached.push(mounted.sb);
    this.dropSupers();
  }

  readonly detached: SuperBlockHandle[] = [];

  /** Super blocks whose last mount has gone. */
  dropSupers(): void {
    const { core, x } = this.world;
    for (const sb of this.detached.splice(0)) {
      if (word(core, sb, SUPER_BLOCK_ACTIVE) > 0) this.detached.push(sb);
      else {
        x.superShrink(sb);
        x.superFree(sb);
      }
    }
  }

  #newMount(): Mounted {
    const { x } = this.world;
    const sb = x.superNew(0, SB_MEMORY | SB_COMPLETE) as SuperBlockHandle;
    const root = x.makeRoot(sb, 0o755, 0, 0, 0, NOW_MS) as DentryHandle;
    return { mnt: x.mountNew(sb, root, 0) as MountHandle, sb };
  }

  #bind(b: number): MountHandle {
    const { dentry } = this.directories[b % this.directories.length];
    return this.world.x.mountNew(this.world.sb, dentry, 0) as MountHandle;
  }

  finish(): void {
    const { world } = this;
    const { x, core } = world;
    verify(core);
    this.check();
    assert.equal(kernelWord(core, KERNEL_NR_FILES), new Set(this.files).size);
    for (const file of this.files) x.filePut(file);
    for (const task of this.tasks) x.taskFree(task);
    this.dropSupers();
    for (const { mnt } of this.mounted) assert.notEqual(word(core, mnt, MOUNT_PARENT), 0);
    for (const { mnt, sb } of this.mounted) {
      x.mountDetach(mnt);
      assert.equal(word(core, mnt, MOUNT_COUNT), 1);
      x.mountPut(mnt);
      if (sb !== world.sb) this.detached.push(sb);
    }
    this.dropSupers();
    assert.equal(this.detached.length, 0);
    assert.equal(word(core, world.mnt, MOUNT_WRITERS), 0);
    assert.equal(kernelWord(core, KERNEL_NR_DENTRIES), this.names.length + 1, "names alone are left");
    const files = new Set(this.names.map(({ node }) => node));
    assert.equal(kernelWord(core, KERNEL_NR_INODES), files.size + 1);
    for (const node of files)
      assert.equal(word(core, node.inode, INODE_COUNT), isDirectory(node) ? 1 : node.names.size);
    world.dispose();
  }
}

describe("references", () => {
  it("of names, files, tasks and mounts are exactly those that somebody holds", () => {
    checkModel(operation, 60, (ops) => {
      const holders = new Holders(new World());
      for (const op of ops) holders.apply(op);
      holders.finish();
    });
  });

  it("of a task on its directories outlive their names, and its mounts", () => {
    const world = new World();
    const dir = world.make(world.root, "dir", 0o40755);
    world.x.taskSetCwd(world.task, world.mnt, dir);
    assert.equal(world.rmdir(dir), 0);
    verify(world.core);
    assert.equal(pointed(world.core, world.task, TASK_CWD_DENTRY), dir);
    assert.equal(pointed(world.core, world.task, TASK_CWD_MOUNT), world.mnt);
    world.x.taskSetCwd(world.task, world.mnt, world.root);
    assert.equal(kernelWord(world.core, KERNEL_NR_DENTRIES), 1);
    world.dispose();
  });

  it("of an open file keep the data of a file without names", () => {
    const world = new World();
    const dentry = world.make(world.root, "f", 0o100644);
    const file = world.x.fileOpen(world.mnt, dentry, 0, FMODE_READ | FMODE_WRITE) as FileHandle;
    world.write(file, new Uint8Array([1, 2, 3]), 0);
    world.unlink(dentry);
    assert.equal(word(world.core, world.inodeOf(dentry), INODE_NLINK), 0);
    assert.deepEqual(world.read(file, 10, 0), new Uint8Array([1, 2, 3]));
    verify(world.core);
    world.x.filePut(file);
    assert.equal(kernelWord(world.core, KERNEL_NR_INODES), 1);
    world.dispose();
  });

  it("of a slot are dropped with it: files, locks, nameless files, tasks", () => {
    const world = new World();
    const dentry = world.make(world.root, "f", 0o100644);
    for (let i = 0; i < 5; i++) {
      const file = world.x.fileOpen(world.mnt, dentry, 0, FMODE_READ) as FileHandle;
      world.x.fileGet(file);
      world.x.flock(file, 0);
    }
    world.unlink(dentry);
    world.x.releaseSlot();
    assert.equal(kernelWord(world.core, KERNEL_NR_INODES), 1);
    assert.equal(kernelWord(world.core, KERNEL_NR_FILES), 0);
    world.dispose();
  });

  it("that were the last put an inode on the list of those to be evicted, where the file system asks for it", () => {
    const world = new World({ sbFlags: SB_MEMORY | SB_COMPLETE | SB_EVICT });
    const { x } = world;
    const inodes = ["a", "b"].map((name) => {
      const dentry = world.make(world.root, name, 0o100644);
      const inode = world.inodeOf(dentry);
      world.unlink(dentry);
      return inode;
    });
    assert.equal(kernelWord(world.core, KERNEL_NR_INODES), 3);
    assert.deepEqual([x.evictNext(), x.evictNext(), x.evictNext()], [...inodes].reverse().concat(0 as never));
    for (const inode of inodes) x.inodeFree(inode);
    verify(world.core);
    world.core.u32[(world.sb << 3) + 1] &= ~SB_EVICT;
    world.dispose();
  });
});
