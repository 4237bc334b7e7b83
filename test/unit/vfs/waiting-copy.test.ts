/** copyFile() between files of a store that takes its time: a piece of it may be read in parts. */
import { strict as assert } from "node:assert";
import { it } from "vitest";
import { Shelf, shelffs } from "../../../examples/shelffs.ts";
import { createFsSync } from "../../../src/index.ts";
import "../../../src/store.ts";

const PAGE = 4096;

it.each([1, 3, 7])(
  "has all bytes where %i pages of the source were cached, and the rest has to be waited for",
  async (nr) => {
    const data = Buffer.from(Uint8Array.from({ length: 16 * PAGE }, (_, i) => 1 + (i % 251)));
    const shelf = new Shelf();
    const file = shelf.files.get(shelf.add("source", 0o644));
    if (file) file.data = new Uint8Array(data);
    const fs = createFsSync({ memoryLimit: 16 * 2 ** 20, types: [shelffs(shelf)] });
    fs.mkdirSync("/s");
    fs.kernel.mount({ type: "shelffs", target: "/s" });
    const fd = fs.openSync("/s/source", "r");
    await fs.kernel.fadvise(fd, 0, 0, 1); // POSIX_FADV_RANDOM: nothing is read ahead
    for (let i = 0; i < nr; i++) fs.readSync(fd, Buffer.alloc(PAGE), 0, PAGE, i * PAGE);
    await fs.promises.copyFile("/s/source", "/s/copy");
    assert.deepEqual(fs.readFileSync("/s/copy"), data);
    fs.closeSync(fd);
    fs.kernel.vfs.verify();
  },
);
