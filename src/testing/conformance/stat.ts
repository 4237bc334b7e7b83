/** stat(2) and its kin: identity, kinds and counts; and the shape of the whole object as users clone it. */
import assert from "node:assert/strict";
import type { NodeFs } from "./subject.ts";
import { type Create, type It, outcomeOf, pattern, withOpen } from "./suite.ts";

/** Copies an object with all its accessors and its prototype, as graceful-fs does. */
function clone(fs: NodeFs): NodeFs {
  const copy = Object.create(Object.getPrototypeOf(fs));
  for (const key of Object.getOwnPropertyNames(fs)) {
    Object.defineProperty(copy, key, Object.getOwnPropertyDescriptor(fs, key) as PropertyDescriptor);
  }
  return copy;
}

export function statSuite(create: Create, it: It): void {
  it("keeps the inode number of a file, and gives it to no other", () => {
    const { fs, root } = create();
    const inos = Array.from({ length: 100 }, (_, i) => {
      fs.writeFileSync(`${root}/${i}`, "");
      return fs.statSync(`${root}/${i}`).ino;
    });
    assert.equal(new Set(inos).size, 100);
    fs.writeFileSync(`${root}/0`, pattern(50_000));
    fs.renameSync(`${root}/0`, `${root}/moved`);
    fs.linkSync(`${root}/moved`, `${root}/linked`);
    fs.chmodSync(`${root}/moved`, 0o600);
    for (const name of ["moved", "linked"]) assert.equal(fs.statSync(`${root}/${name}`).ino, inos[0]);
    withOpen(fs, `${root}/moved`, "r", (fd) => assert.equal(fs.fstatSync(fd).ino, inos[0]));
    assert.equal(fs.statSync(`${root}/linked`, { bigint: true }).ino, BigInt(inos[0]));
  });

  it("has one device for all of a file system", () => {
    const { fs, root } = create();
    fs.mkdirSync(`${root}/d`);
    fs.writeFileSync(`${root}/d/f`, "");
    assert.equal(fs.statSync(`${root}/d/f`).dev, fs.statSync(root).dev);
  });

  it("gives the same by path, by descriptor and by FileHandle", async () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, pattern(5000), { mode: 0o640 });
    const expected = fs.statSync(`${root}/f`, { bigint: true });
    const handle = await fs.promises.open(`${root}/f`, "r");
    assert.deepEqual({ ...(await handle.stat({ bigint: true })) }, { ...expected });
    assert.deepEqual({ ...fs.fstatSync(handle.fd, { bigint: true }) }, { ...expected });
    assert.deepEqual({ ...(await fs.promises.lstat(`${root}/f`, { bigint: true })) }, { ...expected });
    await handle.close();
  });

  it("gives milliseconds with their fractions, and dates to match", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "");
    fs.utimesSync(`${root}/f`, 1_600_000_000.5, 1_600_000_000.25);
    const stats = fs.statSync(`${root}/f`);
    assert.equal(stats.atimeMs, 1_600_000_000_500);
    assert.equal(stats.mtimeMs, 1_600_000_000_250);
    assert.equal(stats.mtime.getTime(), 1_600_000_000_250);
    assert(stats.atime instanceof Date);
  });

  it("says what a whole file system holds", () => {
    const { fs, root } = create();
    const { bavail, bfree, blocks, bsize, ffree, files } = fs.statfsSync(root);
    assert.equal(bsize, 4096);
    assert(blocks >= bfree && bfree >= bavail && bavail >= 0);
    assert(files >= ffree);
  });

  it("builds no error when it is asked not to", () => {
    const { fs, root } = create();
    assert.equal(fs.statSync(`${root}/missing`, { throwIfNoEntry: false }), undefined);
    assert.equal(fs.existsSync(`${root}/missing`), false);
    assert.equal(
      outcomeOf(() => fs.statSync(`${root}/missing`)),
      "ENOENT",
    );
  });

  it("works as a clone, and by functions taken off it", async () => {
    const { fs, root } = create();
    const copy = clone(fs);
    copy.writeFileSync(`${root}/f`, "cloned");
    const { readFileSync, promises, readFile } = copy;
    assert.equal(readFileSync(`${root}/f`, "utf8"), "cloned");
    const { stat } = promises;
    assert.equal((await stat(`${root}/f`)).size, 6);
    const text = await new Promise((resolve) => readFile(`${root}/f`, "utf8", (_, data) => resolve(data)));
    assert.equal(text, "cloned");
  });

  it("lets its methods be replaced, as graceful-fs does", () => {
    const { fs, root } = create();
    const copy = clone(fs);
    let nrCalls = 0;
    const original = copy.statSync;
    copy.statSync = ((...args: Parameters<typeof original>) => {
      nrCalls += 1;
      return original(...args);
    }) as typeof original;
    copy.statSync(root);
    assert.equal(nrCalls, 1);
    fs.statSync(root);
    assert.equal(nrCalls, 1);
  });
}
