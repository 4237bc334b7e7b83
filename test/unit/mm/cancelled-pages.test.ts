/** Dirty pages that nobody is to write any more count as cancelled, each once: what became dirty is accounted for. */
import { strict as assert } from "node:assert";
import { it } from "vitest";
import { createFsSync } from "../../../src/index.ts";
import { FaultStore } from "../../helpers/fault-store.ts";

function scene() {
  const store = new FaultStore();
  const fs = createFsSync({ memoryLimit: 32 * 2 ** 20, types: [store.type] });
  fs.mkdirSync("/m");
  fs.kernel.mount({ type: "heldfs", target: "/m" });
  fs.writeFileSync("/m/f", Buffer.alloc(4 * 4096, 65));
  return { fs, numbers: () => fs.kernel.bdi[0] };
}

it("pages that are cut off by truncation count as cancelled", () => {
  const { fs, numbers } = scene();
  fs.truncateSync("/m/f", 4096);
  assert.deepEqual([numbers().dirtied, numbers().dirty, numbers().written, numbers().cancelled], [4, 1, 0, 3]);
  fs.kernel.sync();
  assert.deepEqual([numbers().dirty, numbers().written, numbers().cancelled], [0, 1, 3]);
  fs.kernel.vfs.verify();
  fs.kernel.destroy();
});

it("and so do those of a file that is removed, once", () => {
  const { fs, numbers } = scene();
  fs.unlinkSync("/m/f");
  fs.kernel.dropCaches(3);
  assert.deepEqual([numbers().dirtied, numbers().dirty, numbers().written, numbers().cancelled], [4, 0, 0, 4]);
  fs.kernel.vfs.verify();
  fs.kernel.destroy();
});
