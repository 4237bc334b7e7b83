/** dentryOps.delete (Linux d_delete): names that are not to be kept. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { createFsSync, Dentry, type DentryOperations, type FolioFs, libfs } from "../../../src/index.ts";
import { StoreFs } from "../../helpers/store-fs.ts";

function mounted(dentryOps: DentryOperations): { fs: FolioFs; store: StoreFs } {
  const store = new StoreFs();
  const fs = createFsSync({ memoryLimit: 16 * 2 ** 20, types: [{ ...store.type, dentryOps }] });
  fs.mkdirSync("/s");
  fs.kernel.mount({ type: "storefs", target: "/s" });
  store.takeLog();
  return { fs, store };
}

describe("dentryOps.delete", () => {
  it("of libfs has every walk look up, and the inode stays known by its number", () => {
    const { fs, store } = mounted({ delete: libfs.alwaysDeleteDentry });
    const { ino } = store.add("f");
    for (let i = 0; i < 3; i++) fs.statSync("/s/f");
    assert.equal(store.takeLog(), `lookup f, readInode ${ino}, lookup f, lookup f`);
    fs.kernel.verify();
  });

  it("is not asked while somebody holds the name", () => {
    const { fs, store } = mounted({ delete: libfs.alwaysDeleteDentry });
    store.add("f");
    const fd = fs.openSync("/s/f", "r");
    store.takeLog();
    fs.statSync("/s/f");
    assert.equal(store.takeLog(), "");
    fs.closeSync(fd);
    fs.statSync("/s/f");
    assert.ok(store.takeLog().endsWith("lookup f"));
    fs.kernel.verify();
  });

  it("decides for each name, before revalidate, for missing ones too", () => {
    const asked: string[] = [];
    const note =
      (what: string): NonNullable<DentryOperations["revalidate"]> =>
      (kernel, dentry) => {
        asked.push(`${what} ${Buffer.from(new Dentry(kernel, dentry).name)}`);
        return 1;
      };
    const { fs, store } = mounted({
      delete: (kernel, dentry) => note("delete")(kernel, dentry) === 1 && asked.at(-1) !== "delete keep",
      revalidate: note("revalidate"),
    });
    store.add("keep");
    for (const name of ["keep", "keep", "gone", "gone"]) fs.existsSync(`/s/${name}`);
    assert.deepEqual(asked, ["delete keep", "revalidate keep", "delete gone"]);
    assert.equal(store.takeLog().split("lookup gone").length, 3);
    fs.kernel.verify();
  });
});
