import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import type { InodeHandle } from "../../../src/base/handles.ts";
import {
  AS_SWAPBACKED,
  AS_UNEVICTABLE,
  INODE_XA_FLAGS,
  KERNEL_BLOCK,
  KERNEL_LRU_LISTS,
  LRU_ACTIVE_ANON,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  LRU_UNEVICTABLE,
  NR_LRU_LISTS,
  PAGE_LIST_COUNT,
  PAGE_LIST_HEAD,
  PAGE_LRU_NEXT,
} from "../../../src/wasm/layout.ts";
import { anyNumber, checkModel, pageWord, verify, World } from "../../helpers/core.ts";

interface ModelPage {
  pfn: number;
  inode: InodeHandle;
  index: number;
  kind: "file" | "anon" | "unevictable";
  isActive: boolean;
  isReferenced: boolean;
  isIsolated: boolean;
}

const KINDS = ["file", "anon", "unevictable"] as const;
const XA_FLAGS = { file: 0, anon: AS_SWAPBACKED, unevictable: AS_UNEVICTABLE };

/** Five lists of pages, newest first. */
class Lists {
  readonly world = new World({ sbFlags: 0 });
  readonly inodes: InodeHandle[];
  readonly pages: ModelPage[] = [];
  readonly lists: ModelPage[][] = Array.from({ length: NR_LRU_LISTS }, () => []);
  #nextIndex = 0;

  constructor() {
    const { world } = this;
    this.inodes = KINDS.map((kind) => {
      const inode = world.inodeOf(world.make(world.root, kind, 0o100644));
      world.core.u32[(inode << 3) + INODE_XA_FLAGS] = XA_FLAGS[kind];
      return inode;
    });
  }

  listOf({ kind, isActive }: ModelPage): ModelPage[] {
    if (kind === "unevictable") return this.lists[LRU_UNEVICTABLE];
    if (kind === "anon") return this.lists[isActive ? LRU_ACTIVE_ANON : LRU_INACTIVE_ANON];
    return this.lists[isActive ? LRU_ACTIVE_FILE : LRU_INACTIVE_FILE];
  }

  #take(page: ModelPage): void {
    const list = this.listOf(page);
    if (!page.isIsolated) list.splice(list.indexOf(page), 1);
  }

  #put(page: ModelPage): void {
    if (!page.isIsolated) this.listOf(page).unshift(page);
  }

  add(which: number): void {
    const inode = this.inodes[which];
    const index = this.#nextIndex++;
    const pfn = this.world.x.findOrCreatePage(inode, index);
    const page = { pfn, inode, index, kind: KINDS[which], isActive: false, isReferenced: false, isIsolated: false };
    this.pages.push(page);
    this.#put(page);
  }

  remove(page: ModelPage): void {
    const { x } = this.world;
    assert.equal(x.removeFromPageCache(page.inode, page.index), page.pfn);
    this.#take(page);
    this.pages.splice(this.pages.indexOf(page), 1);
    x.putPage(page.pfn);
    if (page.isIsolated) x.putbackPage(page.pfn); // frees it: nothing else holds it any more
  }

  access(page: ModelPage): void {
    this.world.x.markPageAccessed(page.pfn);
    if (!page.isReferenced) page.isReferenced = true;
    else if (page.kind !== "unevictable" && !page.isActive) {
      this.#activate(page);
      page.isReferenced = false;
    }
  }

  #activate(page: ModelPage): void {
    if (page.isActive || page.kind === "unevictable") return;
    this.#take(page);
    page.isActive = true;
    this.#put(page);
  }

  activate(page: ModelPage): void {
    this.world.x.activatePage(page.pfn);
    this.#activate(page);
  }

  deactivate(page: ModelPage): void {
    this.world.x.deactivatePage(page.pfn);
    if (!page.isActive) return;
    this.#take(page);
    page.isActive = false;
    page.isReferenced = false;
    this.#put(page);
  }

  isolate(page: ModelPage): void {
    assert.equal(this.world.x.isolatePage(page.pfn), page.isIsolated ? 0 : 1);
    this.#take(page);
    page.isIsolated = true;
  }

  putback(page: ModelPage): void {
    if (!page.isIsolated) return;
    this.world.x.putbackPage(page.pfn);
    page.isIsolated = false;
    this.#put(page);
  }

  rotate(page: ModelPage): void {
    this.world.x.rotatePage(page.pfn);
    if (page.isIsolated || page.isActive || page.kind === "unevictable") return;
    this.#take(page);
    this.listOf(page).push(page);
  }

  check(): void {
    const { core } = this.world;
    for (let lru = 0; lru < NR_LRU_LISTS; lru++) {
      const at = (KERNEL_BLOCK + KERNEL_LRU_LISTS + lru * 16) >>> 2;
      const pfns: number[] = [];
      for (let pfn = core.u32[at + PAGE_LIST_HEAD]; pfn !== 0; pfn = pageWord(core, pfn, PAGE_LRU_NEXT)) pfns.push(pfn);
      assert.deepEqual(
        pfns,
        this.lists[lru].map(({ pfn }) => pfn),
      );
      assert.equal(core.u32[at + PAGE_LIST_COUNT], pfns.length);
    }
    verify(core);
  }

  finish(): void {
    this.check();
    for (const page of [...this.pages]) this.putback(page);
    this.world.dispose();
  }
}

const ACTIONS = ["access", "access", "activate", "deactivate", "isolate", "putback", "rotate", "remove"] as const;
const operation = fc.record({
  kind: fc.constantFrom("add", "add", ...ACTIONS),
  which: anyNumber,
});

describe("LRU lists", () => {
  it("hold the pages in the order that references, activation, isolation and rotation leave", () => {
    checkModel(operation, 400, (ops) => {
      const lists = new Lists();
      for (const { kind, which } of ops) {
        const page = lists.pages[which % lists.pages.length];
        if (kind === "add") lists.add(which % 3);
        else if (page) lists[kind](page);
      }
      lists.finish();
    });
  });

  it("free a page that was truncated while it was isolated", () => {
    const lists = new Lists();
    lists.add(0);
    lists.add(0);
    lists.isolate(lists.pages[1]);
    lists.remove(lists.pages[1]);
    lists.finish();
  });
});
