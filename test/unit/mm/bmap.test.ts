/** Where blocks lie in their store: kernel.bmap(). */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { EIO } from "../../../src/base/errno.ts";
import { createFsSync } from "../../../src/index.ts";
import { storeScene } from "../../helpers/mock-scene.ts";
import { PAGE } from "../../helpers/mock-store.ts";

describe("bmap", () => {
  it("is asked of the file system, for the inode of the file: 0 is a hole", async () => {
    const asked: number[] = [];
    const bmap = (_cache: unknown, inode: number, block: number): number => {
      asked.push(inode);
      return block === 3 ? 0 : block === 9 ? -EIO : 100 + block;
    };
    const all = storeScene(10 * PAGE, { mapping: { bmap } });
    const { kernel } = all.fs;
    assert.deepEqual(
      [0, 3, 2 ** 40].map((block) => kernel.bmap(all.fd, block)),
      [100, 0, 100 + 2 ** 40],
    );
    assert.deepEqual(asked, [all.inode, all.inode, all.inode]);
    for (const block of [-1, 0.5, Number.NaN, "1" as never]) {
      assert.throws(() => kernel.bmap(all.fd, block), { code: "EINVAL" });
    }
    assert.throws(() => kernel.bmap(all.fd, 9), { code: "EIO", syscall: "bmap" });
    const handle = await all.fs.promises.open("/m/file");
    assert.equal(kernel.bmap(handle, 1), 101);
    await handle.close();
  });

  it("is EBADF, EPERM without privilege, and EINVAL where the file system has none, in this order", () => {
    const all = storeScene(PAGE);
    const { kernel } = all.fs;
    assert.throws(() => kernel.bmap(all.fd, 0), { code: "EINVAL" });
    assert.throws(() => kernel.bmap(99, 0), { code: "EBADF" });
    const user = kernel.task({ uid: 1000, gid: 1000 });
    const fd = user.openSync("/m/file", "r");
    assert.throws(() => user.kernel.bmap(fd, 0), { code: "EPERM" });
    assert.throws(() => user.kernel.bmap(99, 0), { code: "EBADF" });
    const memory = createFsSync();
    memory.writeFileSync("/file", "text");
    assert.throws(() => memory.kernel.bmap(memory.openSync("/file", "r"), 0), { code: "EINVAL" });
  });
});
