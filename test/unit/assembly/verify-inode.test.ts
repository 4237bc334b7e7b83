/** verify() knows the inode cache: whatever is wrong with it, it says so. */

import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import * as libstore from "../../../src/fs/libfs-store.ts";
import { createFsSync, Dentry, type InodeHandle } from "../../../src/index.ts";
import type { Core } from "../../../src/wasm/core.ts";
import {
  I_DIRTY_SYNC,
  I_EVICTING,
  I_FREEING,
  I_HASHED,
  I_LRU,
  I_NEW,
  INODE_HASH_NEXT,
  INODE_INO,
  INODE_LRU_NEXT,
  INODE_STATE,
  KERNEL_BLOCK,
  KERNEL_INODE_HASH_MASK,
  KERNEL_NR_HASHED_INODES,
  KERNEL_NR_UNUSED_INODES,
  KERNEL_UNUSED_INODE_TAIL,
} from "../../../src/wasm/layout.ts";
import { IS_DEBUG } from "../../helpers/core.ts";
import { StoreFs } from "../../helpers/store-fs.ts";

/** Two unused inodes of a store, the root of the tree, and the words of memory. */
interface Setting {
  core: Core;
  inode: InodeHandle;
  other: InodeHandle;
  memoryInode: InodeHandle;
}

const word = (inode: InodeHandle, field: number) => (inode << 3) + field;
const KERNEL = KERNEL_BLOCK >>> 2;

const damages: [what: string, damage: (s: Setting) => void, message: RegExp][] = [
  ["hashed inodes miscounted", ({ core }) => core.u32[KERNEL + KERNEL_NR_HASHED_INODES]++, /inode cache/],
  ["unused inodes miscounted", ({ core }) => core.u32[KERNEL + KERNEL_NR_UNUSED_INODES]++, /unused inodes/],
  ["a mask that does not fit", ({ core }) => (core.u32[KERNEL + KERNEL_INODE_HASH_MASK] = 8191), /mask/],
  ["another tail", ({ core, inode }) => (core.u32[KERNEL + KERNEL_UNUSED_INODE_TAIL] = (inode + 5) << 5), /tail/],
  ["a number that was changed", ({ core, inode }) => core.f64[(inode << 2) + INODE_INO]++, /bucket|number/],
  ["a chain that is a ring", ({ core, inode }) => (core.u32[word(inode, INODE_HASH_NEXT)] = inode << 5), /ring/],
  [
    "a list that is a ring",
    ({ core, other }) => (core.u32[word(other, INODE_LRU_NEXT)] = other << 5),
    /points elsewhere/,
  ],
  ["hashed, but not flagged", ({ core, inode }) => (core.u32[word(inode, INODE_STATE)] &= ~I_HASHED), /not flagged/],
  ["unused, but not flagged", ({ core, inode }) => (core.u32[word(inode, INODE_STATE)] &= ~I_LRU), /not flagged/],
  ["unused, but going", ({ core, inode }) => (core.u32[word(inode, INODE_STATE)] |= I_FREEING), /going/],
  ["at its end, but not going", ({ core, inode }) => (core.u32[word(inode, INODE_STATE)] |= I_EVICTING), /at its end/],
  [
    "being read without a number",
    ({ core, memoryInode: i }) => (core.u32[word(i, INODE_STATE)] |= I_NEW),
    /being read/,
  ],
  ["dirty without a store", ({ core, memoryInode: i }) => (core.u32[word(i, INODE_STATE)] |= I_DIRTY_SYNC), /no store/],
];

describe("verify of the inode cache", () => {
  if (!IS_DEBUG) {
    it("does nothing in release", () => createFsSync().kernel.verify());
    return;
  }
  it.each(damages)("%s", (_what, damage, message) => {
    const store = new StoreFs();
    const fs = createFsSync({ memoryLimit: 16 * 2 ** 20, types: [store.type] });
    const { core } = fs.kernel.vfs;
    fs.mkdirSync("/s");
    fs.kernel.mount({ type: "storefs", target: "/s" });
    const [sb] = [...fs.kernel.vfs.superBlocks()];
    const [a, b] = [store.add("a"), store.add("b")].map(({ ino }) => libstore.iget(sb, ino) as InodeHandle);
    core.x.iput(a);
    core.x.iput(b);
    fs.kernel.verify();
    const root = fs.kernel.vfs.rootOf(fs.kernel.vfs.rootMount);
    damage({ core, inode: a, other: b, memoryInode: new Dentry(fs.kernel.vfs, root).inode });
    assert.throws(() => fs.kernel.verify(), message);
    fs.kernel.destroy(); // before the check that follows every test
  });
});
