import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import type { DentryHandle, FileHandle, InodeHandle, MountHandle } from "../../../src/base/handles.ts";
import { SLOT } from "../../../src/wasm/core.ts";
import {
  CACHE_DENTRY,
  CACHE_INODE,
  DCACHE_LRU,
  DCACHE_PERSISTENT,
  DENTRY_ALIAS_NEXT,
  DENTRY_COOKIE,
  DENTRY_COUNT,
  DENTRY_FLAGS,
  DENTRY_HASH,
  DENTRY_HASH_NEXT,
  DENTRY_INODE,
  DENTRY_NAME_LEN,
  DENTRY_NAME0,
  DENTRY_PARENT,
  DENTRY_SIBLING_NEXT,
  FILE_DENTRY,
  FILE_INODE,
  FMODE_READ,
  FMODE_WRITE,
  I_DEAD,
  INODE_ALIASES,
  INODE_COUNT,
  INODE_MAPPING,
  INODE_NLINK,
  INODE_NR_PAGES,
  INODE_SB_NEXT,
  INODE_SIZE,
  INODE_STATE,
  INODE_XA_FLAGS,
  INODE_XA_HEAD,
  KERNEL_BLOCK,
  KERNEL_CACHES,
  KERNEL_END_PFN,
  KERNEL_FREE_AREAS,
  KERNEL_HASH_MASK,
  KERNEL_LRU_LISTS,
  KERNEL_NR_DENTRIES,
  KERNEL_NR_FILES,
  KERNEL_NR_FREE,
  KERNEL_NR_FRESH,
  KERNEL_NR_HASHED,
  KERNEL_NR_INODES,
  KERNEL_NR_NEGATIVE,
  KERNEL_NR_SHADOW_NODES,
  KERNEL_NR_UNUSED,
  KERNEL_PCP_COUNT,
  KERNEL_PCP_HEAD,
  KMEM_CACHE_NR_OBJECTS,
  KMEM_CACHE_NR_PARTIAL,
  KMEM_CACHE_NR_SLABS,
  LRU_UNEVICTABLE,
  MOUNT_COUNT,
  MOUNT_WRITERS,
  PAGE_FLAGS,
  PAGE_INDEX,
  PAGE_LIST_COUNT,
  PAGE_LRU_NEXT,
  PAGE_MAPPING,
  PAGE_PRIVATE_HIGH,
  PAGE_PRIVATE_LOW,
  PAGE_REFCOUNT,
  PG_ACTIVE,
  PG_BUDDY,
  PG_LRU,
  PG_UNEVICTABLE,
  SB_FROZEN,
  SLOT_DYING,
  SLOT_FILES,
  SLOT_LAST_DIR_DENTRY,
  SUPER_BLOCK_ACTIVE,
  SUPER_BLOCK_FLAGS,
  SUPER_BLOCK_FROZEN,
  SUPER_BLOCK_MAX_BYTES,
  SUPER_BLOCK_NR_INODES,
  TASK_CRED,
  XA_NODE_COUNT,
  XA_NODE_MARK0,
  XA_NODE_NR_SHADOWS,
  XA_NODE_OFFSET,
  XA_NODE_PARENT,
} from "../../../src/wasm/layout.ts";
import { IS_DEBUG, KERNEL, kernelWord, pageAt, pageWord, pointed, verify, World, word } from "../../helpers/core.ts";

/** A world in which something can be broken. */
class Scene {
  readonly world = new World();
  readonly dir: DentryHandle;
  readonly first: DentryHandle;
  readonly second: DentryHandle;
  readonly inode: InodeHandle;
  readonly file: FileHandle;
  readonly mnt: MountHandle = this.world.mnt;
  /** Frames of the file's pages 0 and 100. */
  readonly pages: number[];

  constructor() {
    const { world } = this;
    this.dir = world.make(world.root, "dir", 0o40755);
    this.first = world.make(this.dir, "first", 0o100644);
    this.second = world.make(this.dir, "second", 0o100644);
    this.inode = world.inodeOf(this.first);
    world.hardLink(this.inode, world.root, "a name that lies outside of its dentry");
    this.file = world.x.fileOpen(world.mnt, this.first, 0, FMODE_READ | FMODE_WRITE) as FileHandle;
    world.write(this.file, new Uint8Array([1]), 0);
    world.write(this.file, new Uint8Array([1]), 100 * 4096);
    this.pages = [0, 100].map((index) => world.x.findPage(this.inode, index));
    verify(world.core);
  }

  get u32(): Uint32Array {
    return this.world.core.u32;
  }

  add(handle: number, field: number, delta: number): void {
    this.u32[(handle << 3) + field] += delta;
  }
  set(handle: number, field: number, value: number): void {
    this.u32[(handle << 3) + field] = value;
  }
  kernel(field: number, delta = 1): void {
    this.u32[KERNEL + field] += delta;
  }
  cache(id: number, field: number): void {
    this.u32[((KERNEL_BLOCK + KERNEL_CACHES + id * 32) >>> 2) + field] += 1;
  }
  page(pfn: number, field: number, delta: number): void {
    this.u32[pageAt(pfn) + field] += delta;
  }
  half(handle: number, field: number, change: (value: number) => number): void {
    const u16 = new Uint16Array(this.world.core.arrayBuffer);
    u16[(handle << 4) + field] = change(u16[(handle << 4) + field]);
  }
  /** Address of the root of the file's index. */
  get node(): number {
    return word(this.world.core, this.inode, INODE_XA_HEAD) - 2;
  }
  /** First frame with a flag. */
  frameWith(flag: number): number {
    const { core } = this.world;
    for (let pfn = 14; ; pfn++) if (pageWord(core, pfn, PAGE_FLAGS) === flag) return pfn;
  }
  /** Second frame of the first block with a flag that has more than one. */
  insideOf(flag: number): number {
    const { core } = this.world;
    let pfn = this.frameWith(flag);
    while (pageWord(core, pfn, PAGE_FLAGS) !== flag || pageWord(core, pfn, PAGE_PRIVATE_LOW) === 0) pfn++;
    return pfn + 1;
  }
  slabOf(handle: number): number {
    return handle >>> 7;
  }
}

/** What is broken, and what verify() must say about it. */
const FAULTS: [what: string, break_: (scene: Scene) => void, says: RegExp][] = [
  ["free frames miscounted", (s) => s.kernel(KERNEL_NR_FREE), /nrFree/],
  ["fresh frames miscounted", (s) => s.kernel(KERNEL_NR_FRESH), /nrFresh/],
  ["a free block neither freed nor fresh", (s) => s.page(s.frameWith(PG_BUDDY), PAGE_PRIVATE_HIGH, 1), /fresh/],
  ["a free block twice as large", (s) => s.page(s.frameWith(PG_BUDDY), PAGE_PRIVATE_LOW, 1), /buddy|list/],
  [
    "a list of free blocks miscounted",
    (s) => {
      s.u32[((KERNEL_BLOCK + KERNEL_FREE_AREAS) >>> 2) + 4 * 9 + PAGE_LIST_COUNT] += 1;
    },
    /list: shorter/,
  ],
  [
    "a frame inside of a free block in use",
    (s) => s.page(s.insideOf(PG_BUDDY), PAGE_REFCOUNT, 1),
    /inside of a free block/,
  ],
  ["single frames miscounted", (s) => s.kernel(KERNEL_PCP_COUNT), /pcp/],
  [
    "a single frame lost",
    (s) =>
      s.set(0, 0, 0) ??
      s.kernel(
        KERNEL_PCP_HEAD,
        pageWord(s.world.core, kernelWord(s.world.core, KERNEL_PCP_HEAD), PAGE_LRU_NEXT) -
          kernelWord(s.world.core, KERNEL_PCP_HEAD),
      ),
    /pcp|frame/,
  ],
  ["more memory than there is", (s) => s.kernel(KERNEL_END_PFN, 1 << 20), /endPfn/],
  ["a page of nobody", (s) => s.page(s.pages[0], PAGE_MAPPING, -(s.inode << 5) - INODE_XA_HEAD * 4), /frame|page/],
  ["a page of what is no inode", (s) => s.page(s.pages[0], PAGE_MAPPING, 4), /mapping is no inode's/],
  ["an inode whose pages are nobody's", (s) => s.add(s.inode, INODE_MAPPING, 4), /inode: mapping/],
  ["a page with another index", (s) => s.page(s.pages[1], PAGE_INDEX, 1), /page/],
  ["a page without a pin", (s) => s.page(s.pages[1], PAGE_REFCOUNT, -1), /without a pin/],
  ["a page off its list", (s) => s.page(s.pages[1], PAGE_FLAGS, -PG_LRU), /isolated|list/],
  ["a page active and unevictable", (s) => s.page(s.pages[1], PAGE_FLAGS, PG_ACTIVE), /active/],
  ["an evictable page of memory alone", (s) => s.page(s.pages[1], PAGE_FLAGS, -PG_UNEVICTABLE), /unevictable/],
  [
    "a list of pages miscounted",
    (s) => {
      s.u32[((KERNEL_BLOCK + KERNEL_LRU_LISTS) >>> 2) + 4 * LRU_UNEVICTABLE + PAGE_LIST_COUNT] += 1;
    },
    /list: shorter/,
  ],
  [
    "bytes beyond the end of a file",
    (s) => {
      s.world.core.u8[s.pages[1] * 4096 + 1] = 1;
    },
    /beyond the end/,
  ],
  [
    "a file cut without its pages",
    (s) => {
      s.world.core.f64[(s.inode << 2) + INODE_SIZE] = 0;
    },
    /beyond the end/,
  ],
  ["pages of a file miscounted", (s) => s.add(s.inode, INODE_NR_PAGES, 1), /nrPages/],
  [
    "a mark on nothing",
    (s) => {
      s.u32[(s.node >>> 2) + 2 * XA_NODE_MARK0] |= 0x80;
    },
    /mark on an empty slot/,
  ],
  [
    "a mark without one below",
    (s) => {
      s.u32[(s.node >>> 2) + 2 * XA_NODE_MARK0] |= 1;
    },
    /mark unlike those below/,
  ],
  ["marks of a head that is a node", (s) => s.add(s.inode, INODE_XA_FLAGS, 1), /marks of a head/],
  [
    "slots of a node miscounted",
    (s) => {
      s.world.core.u8[s.node + XA_NODE_COUNT] += 1;
    },
    /count of a node/,
  ],
  [
    "a node that counts a shadow too many",
    (s) => {
      s.world.core.u8[s.u32[s.node >>> 2] - 2 + XA_NODE_NR_SHADOWS] += 1;
    },
    /nrShadows of a node/,
  ],
  [
    "a leaf of shadows that nobody would give back",
    (s) => {
      s.u32[(KERNEL_BLOCK >>> 2) + KERNEL_NR_SHADOW_NODES] += 1;
    },
    /nrShadowNodes/,
  ],
  [
    "a node in another place",
    (s) => {
      s.world.core.u8[s.u32[s.node >>> 2] - 2 + XA_NODE_OFFSET] = 1;
    },
    /its place/,
  ],
  [
    "a root with a parent",
    (s) => {
      s.u32[(s.node >>> 2) + XA_NODE_PARENT] = s.node;
    },
    /root has a parent/,
  ],
  ["slabs miscounted", (s) => s.cache(CACHE_INODE, KMEM_CACHE_NR_SLABS), /nrSlabs/],
  ["objects miscounted", (s) => s.cache(CACHE_DENTRY, KMEM_CACHE_NR_OBJECTS), /nrObjects/],
  ["partial slabs miscounted", (s) => s.cache(CACHE_DENTRY, KMEM_CACHE_NR_PARTIAL), /nrPartial/],
  ["objects of a slab miscounted", (s) => s.page(s.slabOf(s.first), PAGE_INDEX, -1), /slab/],
  ["an object handed out that is not", (s) => s.page(s.slabOf(s.first), PAGE_PRIVATE_HIGH, 1), /slab/],
  [
    "a write behind the last object",
    (s) => {
      s.world.core.u8[(s.slabOf(s.first) << 12) + 4095] = 1;
    },
    /behind the last object/,
  ],
  ["hashed names miscounted", (s) => s.kernel(KERNEL_NR_HASHED), /hash/],
  ["dentries miscounted", (s) => s.kernel(KERNEL_NR_DENTRIES), /nrDentries/],
  ["inodes miscounted", (s) => s.kernel(KERNEL_NR_INODES), /nrInodes/],
  ["negative dentries miscounted", (s) => s.kernel(KERNEL_NR_NEGATIVE), /negative list/],
  ["unused dentries miscounted", (s) => s.kernel(KERNEL_NR_UNUSED), /unused/],
  [
    "a lasting name on a list of unused ones",
    (s) => s.half(s.first, DENTRY_FLAGS, (flags) => flags | DCACHE_LRU),
    /unused/,
  ],
  ["a mask that does not fit the hash", (s) => s.kernel(KERNEL_HASH_MASK, 4096), /mask/],
  ["a wrong hash", (s) => s.add(s.first, DENTRY_HASH, 2 ** 20), /hash/],
  ["a chain that is a ring", (s) => s.set(s.first, DENTRY_HASH_NEXT, s.first << 5), /ring/],
  ["a name that was overwritten", (s) => s.add(s.first, DENTRY_NAME0, 1), /hash/],
  ["bytes behind a name", (s) => s.add(s.first, DENTRY_NAME0 + 3, 1), /behind the name/],
  ["a name longer than it is", (s) => s.half(s.first, DENTRY_NAME_LEN, (len) => len + 1), /hash|name/],
  [
    "a name twice",
    (s) => {
      s.u32[(s.second << 3) + DENTRY_NAME0] = s.u32[(s.first << 3) + DENTRY_NAME0];
    },
    /hash|twice/,
  ],
  ["a dentry without a parent's count", (s) => s.add(s.dir, DENTRY_COUNT, -1), /dentry is held more often/],
  ["a dentry that nobody holds", (s) => s.add(s.dir, DENTRY_COUNT, 1), /dentry has a reference/],
  ["a dentry under another parent", (s) => s.set(s.first, DENTRY_PARENT, s.world.root << 5), /hash|sibling|child/],
  [
    "a name that is not persistent any more",
    (s) => s.half(s.second, DENTRY_FLAGS, (flags) => flags & ~DCACHE_PERSISTENT),
    /nlink|reference/,
  ],
  [
    "cookies that do not descend",
    (s) => {
      s.world.core.f64[(s.first << 2) + DENTRY_COOKIE] += 1.5;
    },
    /cookie/,
  ],
  ["siblings torn apart", (s) => s.set(s.second, DENTRY_SIBLING_NEXT, 0), /sibling/],
  ["an alias torn off", (s) => s.set(word(s.world.core, s.inode, INODE_ALIASES) >>> 5, DENTRY_ALIAS_NEXT, 0), /alias/],
  ["a dentry of another inode", (s) => s.set(s.second, DENTRY_INODE, s.inode << 5), /alias/],
  ["a link too many", (s) => s.add(s.inode, INODE_NLINK, 1), /nlink/],
  ["a directory that is dead, but linked", (s) => s.set(s.world.inodeOf(s.dir), INODE_STATE, I_DEAD), /dead/],
  ["an inode that nobody holds", (s) => s.add(s.inode, INODE_COUNT, 1), /inode has a reference/],
  ["an inode freed too early", (s) => s.add(s.inode, INODE_COUNT, -1), /inode is held more often/],
  [
    "an inode off its super block's list",
    (s) => s.set(s.u32[(s.world.sb << 3) + 12] >>> 5, INODE_SB_NEXT, 0),
    /super block|inode/,
  ],
  [
    "a last directory that is elsewhere",
    (s) => {
      s.world.walk("/dir/first", 0);
      s.u32[SLOT + SLOT_LAST_DIR_DENTRY] = s.world.root << 5;
    },
    /last directory/,
  ],
  ["inodes of a super block miscounted", (s) => s.add(s.world.sb, SUPER_BLOCK_NR_INODES, 1), /super block/],
  ["mounts of a super block miscounted", (s) => s.add(s.world.sb, SUPER_BLOCK_ACTIVE, 1), /active/],
  ["a super block frozen too far", (s) => s.set(s.world.sb, SUPER_BLOCK_FROZEN, 5), /frozen further/],
  ["a super block frozen behind the writers' backs", (s) => s.set(s.world.sb, SUPER_BLOCK_FROZEN, 1), /do not know/],
  [
    "a super block whose writers wait for nobody",
    (s) => s.set(s.world.sb, SUPER_BLOCK_FLAGS, word(s.world.core, s.world.sb, SUPER_BLOCK_FLAGS) | SB_FROZEN),
    /nobody has frozen it/,
  ],
  [
    "a super block that tells its writers to wait for nobody",
    (s) => {
      s.world.core.f64[(s.world.sb << 2) + SUPER_BLOCK_MAX_BYTES] *= -1;
    },
    /told otherwise/,
  ],
  [
    "a super block in use that is to be shut down",
    (s) => {
      s.u32[SLOT + SLOT_DYING] = s.world.sb << 5;
    },
    /to be shut down, but is in use/,
  ],
  ["a mount that nobody holds", (s) => s.add(s.mnt, MOUNT_COUNT, 1), /mount has a reference/],
  ["writers of a mount miscounted", (s) => s.add(s.mnt, MOUNT_WRITERS, 1), /writers/],
  ["files miscounted", (s) => s.kernel(KERNEL_NR_FILES), /nrFiles/],
  [
    "a file off its slot's list",
    (s) => {
      s.u32[SLOT + SLOT_FILES] = 0;
    },
    /nrFiles/,
  ],
  ["a file of another inode", (s) => s.set(s.file, FILE_INODE, s.world.inodeOf(s.dir) << 5), /file/],
  ["a file of another dentry", (s) => s.set(s.file, FILE_DENTRY, s.second << 5), /file/],
  [
    "credentials that nobody holds",
    (s) => s.add(pointed(s.world.core, s.world.task, TASK_CRED), 0, 1),
    /credentials have a reference/,
  ],
  ["memory that no record refers to", (s) => s.world.x.kmalloc(100), /kmalloc/],
];

describe("verify", () => {
  if (!IS_DEBUG) {
    it("does nothing in release", () => {
      const scene = new Scene();
      scene.kernel(KERNEL_NR_FREE);
      verify(scene.world.core);
    });
    return;
  }
  for (const [what, break_, says] of FAULTS) {
    it(`finds ${what}`, () => {
      const scene = new Scene();
      break_(scene);
      assert.throws(() => verify(scene.world.core), says);
    });
  }
});
