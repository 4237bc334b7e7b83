/** The example of a file system with a store that people copy: it must do all of what it says. */
import { strict as assert } from "node:assert";
import { afterEach, beforeEach, describe, it } from "vitest";
import { Shelf, shelffs } from "../../examples/shelffs.ts";
import { createFsSync, type FolioFs } from "../../src/index.ts";

const PAGE = 4096;
const bytes = (length: number): Buffer => Buffer.from(Uint8Array.from({ length }, (_, i) => 1 + (i % 251)));

let fs: FolioFs;
let shelf: Shelf;

beforeEach(() => {
  shelf = new Shelf();
  fs = createFsSync({ memoryLimit: 16 * 2 ** 20, types: [shelffs(shelf)] });
  fs.mkdirSync("/shelf");
  fs.kernel.mount({ type: "shelffs", target: "/shelf" });
});

afterEach(() => fs.kernel.vfs.verify());

const onShelf = (name: string): Buffer => Buffer.from(shelf.files.get(shelf.find(name))?.data ?? []);

describe("shelffs", () => {
  it("collects what is written, and has the store write it by the run when it is to be safe", async () => {
    const data = bytes(64 * PAGE);
    const handle = await fs.promises.open("/shelf/file", "w");
    for (let at = 0; at < data.length; at += PAGE) await handle.write(data, at, PAGE);
    assert.deepEqual(shelf.log, []);
    await handle.sync();
    assert.deepEqual(shelf.log, [`write 0+${data.length}`]);
    assert.deepEqual(onShelf("file"), data);
    await handle.close();
  });

  it("reads ahead of the reader, and each byte once", async () => {
    const data = bytes(40 * PAGE + 7);
    const file = shelf.files.get(shelf.add("file", 0o644));
    assert.ok(file);
    shelf.move(file, 0, [data], true);
    shelf.log.length = 0;
    const handle = await fs.promises.open("/shelf/file");
    for (let at = 0; at < data.length; at += 1000) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(1000), 0, 1000, at);
      assert.deepEqual(buffer.subarray(0, bytesRead), data.subarray(at, at + 1000));
    }
    await handle.close();
    assert.ok(shelf.log.length < 8, shelf.log.join());
    shelf.log.length = 0;
    assert.deepEqual(await fs.promises.readFile("/shelf/file"), data);
    assert.deepEqual(fs.readFileSync("/shelf/file"), data);
    assert.deepEqual(shelf.log, []);
  });

  it("works with synchronous calls, at once", () => {
    fs.writeFileSync("/shelf/a", "text");
    fs.appendFileSync("/shelf/a", " and more");
    fs.truncateSync("/shelf/a", 6);
    fs.chmodSync("/shelf/a", 0o600);
    assert.equal(fs.readFileSync("/shelf/a", "utf8"), "text a");
    assert.deepEqual(fs.readdirSync("/shelf"), ["a"]);
    fs.kernel.sync();
    assert.equal(onShelf("a").toString(), "text a");
    assert.equal(shelf.files.get(shelf.find("a"))?.mode, 0o100600);
    assert.equal(fs.statSync("/shelf/a").size, 6);
  });

  it("keeps a file that is open when its name goes, and forgets it then", async () => {
    await fs.promises.writeFile("/shelf/gone", "data");
    const handle = await fs.promises.open("/shelf/gone", "r+");
    await fs.promises.unlink("/shelf/gone");
    assert.deepEqual(fs.readdirSync("/shelf"), []);
    assert.equal(fs.existsSync("/shelf/gone"), false);
    assert.equal(await handle.readFile("utf8"), "data");
    await handle.close();
    fs.kernel.dropCaches(3);
    assert.equal(shelf.files.size, 0);
  });

  it("loses nothing by umount, and has it again after the next mount", async () => {
    const data = bytes(10 * PAGE + 5);
    await fs.promises.writeFile("/shelf/file", data);
    await fs.kernel.umountAsync("/shelf");
    assert.deepEqual(onShelf("file"), data);
    fs.kernel.mount({ type: "shelffs", target: "/shelf" });
    assert.deepEqual(await fs.promises.readFile("/shelf/file"), data);
    const handle = await fs.promises.open("/shelf/file", "r+");
    await handle.write("new", 5);
    await handle.datasync();
    await handle.close();
    data.write("new", 5);
    assert.deepEqual(onShelf("file"), data);
    fs.kernel.dropCaches(3);
    fs.appendFileSync("/shelf/file", "end");
    assert.deepEqual(fs.readFileSync("/shelf/file"), Buffer.concat([data, Buffer.from("end")]));
    await assert.rejects(fs.promises.readFile("/shelf/none"), { code: "ENOENT" });
  });
});
