/** Operations of a file system may be in frozen tables: what the VFS calls in their place stands beside them. */
import { strict as assert } from "node:assert";
import { afterEach, it } from "vitest";
import { Shelf, shelffs } from "../../../examples/shelffs.ts";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import "../../../src/store.ts";

let fs: FolioFs;

afterEach(() => fs.kernel.vfs.verify());

it("reads, writes and syncs by operations that are frozen", async () => {
  const shelf = new Shelf();
  const type = shelffs(shelf);
  const tables = type.tables.map((table) => Object.freeze({ ...table, file: Object.freeze({ ...table.file }) }));
  fs = createFsSync({ memoryLimit: 16 * 2 ** 20, types: [Object.freeze({ ...type, tables: Object.freeze(tables) })] });
  fs.mkdirSync("/s");
  fs.kernel.mount({ type: "shelffs", target: "/s" });
  const handle = await fs.promises.open("/s/a", "w+");
  await handle.write("text");
  await handle.sync();
  assert.equal(Buffer.from(shelf.files.get(shelf.find("a"))?.data ?? []).toString(), "text");
  assert.equal((await handle.read(Buffer.alloc(8), 0, 8, 0)).bytesRead, 4);
  await handle.close();
});
