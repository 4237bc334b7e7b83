import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { S_IFDIR, S_IFREG } from "../../../src/base/stat-flags.ts";
import { FMODE_WRITE, KERNEL_END_PFN, KERNEL_MAX_PFN, PAGE_REFCOUNT } from "../../../src/wasm/layout.ts";
import { anyNumber, checkModel, KERNEL, kernelWord, pageWord, verify, World } from "../../helpers/core.ts";
import { NameTree } from "../../helpers/name-tree.ts";

const operation = fc.record({
  kind: fc.constantFrom("make", "make", "remove", "rename", "write"),
  name: fc.nat({ max: 40 }).map((n) => "n".repeat(1 + n)),
  a: anyNumber,
  b: anyNumber,
});

/** Whoever starts over a memory in normal form sets its limit again. */
function normalize({ core }: World): void {
  const limit = kernelWord(core, KERNEL_MAX_PFN);
  core.x.releaseSlot();
  core.x.normalizeMemory();
  core.u32[KERNEL + KERNEL_MAX_PFN] = limit;
}

describe("normal form of memory", () => {
  it("is reached in one step, whatever the memory went through, and can be worked on", () => {
    checkModel(operation, 300, (ops) => {
      const world = new World();
      const tree = new NameTree(world);
      for (const { kind, name, a, b } of ops) {
        const one = tree.names[a % tree.names.length];
        if (kind === "make") tree.make(tree.directories[a % tree.directories.length], name, b % 2 ? S_IFREG : S_IFDIR);
        else if (kind === "remove" && one) tree.remove(one);
        else if (kind === "rename" && one) tree.rename(one, tree.root, name);
        else if (kind === "write" && one?.node.type === S_IFREG) {
          const file = world.x.fileOpen(world.mnt, one.dentry, 0, FMODE_WRITE) as never;
          world.write(file, new Uint8Array(1 + (b % 20_000)).fill(1), a % 100_000);
          world.x.filePut(file);
        }
      }
      const { core } = world;
      normalize(world);
      verify(core);
      const used = (): Uint8Array => core.u8.slice(0, kernelWord(core, KERNEL_END_PFN) * 4096);
      const once = used();
      normalize(world);
      assert.equal(Buffer.compare(once, used()), 0, "a second time changes nothing");
      tree.check();
      world.x.setCurrent(world.newTask(0, 0));
      tree.make(tree.root, "after", S_IFREG);
      tree.check();
      world.dispose();
    });
  });

  it("drops what suspended operations held: pins, locks, pages isolated or taken out of the cache", () => {
    const world = new World({ sbFlags: 0 });
    const { core, x } = world;
    const inode = world.inodeOf(world.make(world.root, "f", 0o100644));
    const pfns = [0, 1, 2].map((index) => x.findOrCreatePage(inode, index));
    x.isolatePage(pfns[0]);
    x.tryLockPage(pfns[1]);
    x.getPage(pfns[1]);
    x.waitOnPage(pfns[1]);
    x.getPage(pfns[2]);
    x.putPage(x.removeFromPageCache(inode, 2));
    x.operationBegin(world.mnt, world.root, 0 as never, 0 as never, 0 as never, inode, 0 as never);
    normalize(world);
    verify(core);
    assert.equal(x.operationInTheWay(world.root, 0 as never, 0 as never, 0 as never, inode), 0);
    assert.equal(x.tryLockPage(pfns[1]), 1);
    assert.deepEqual(
      pfns.map((pfn) => pageWord(core, pfn, PAGE_REFCOUNT)),
      [1, 1, 0],
    );
    world.dispose();
  });
});
