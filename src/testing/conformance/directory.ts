/** mkdir(2) and rmdir(2), link counts and sizes of directories as tmpfs has them. */
import assert from "node:assert/strict";
import { type Create, type It, outcomeOf, timesChangedBy, withOpen } from "./suite.ts";

/** Bytes that tmpfs counts for each entry of a directory, and for `.` and `..` (Linux BOGO_DIRENT_SIZE). */
const ENTRY_BYTES = 20;

export function directorySuite(create: Create, it: It): void {
  it("counts two links for a new directory, and one more for each in it", () => {
    const { fs, root } = create();
    fs.mkdirSync(`${root}/d`);
    assert.equal(fs.statSync(`${root}/d`).nlink, 2);
    fs.mkdirSync(`${root}/d/a`);
    fs.mkdirSync(`${root}/d/b`);
    fs.writeFileSync(`${root}/d/f`, "");
    assert.equal(fs.statSync(`${root}/d`).nlink, 4);
    fs.rmdirSync(`${root}/d/a`);
    assert.equal(fs.statSync(`${root}/d`).nlink, 3);
  });

  it("counts 20 bytes for each entry, and no blocks", () => {
    const { fs, root } = create();
    fs.mkdirSync(`${root}/d`);
    const size = (): number => fs.statSync(`${root}/d`).size;
    assert.equal(size(), 2 * ENTRY_BYTES);
    fs.writeFileSync(`${root}/d/a`, "");
    fs.mkdirSync(`${root}/d/a-much-longer-name`);
    fs.symlinkSync("x", `${root}/d/s`);
    assert.equal(size(), 5 * ENTRY_BYTES);
    fs.linkSync(`${root}/d/a`, `${root}/d/b`);
    fs.renameSync(`${root}/d/b`, `${root}/d/c`);
    assert.equal(size(), 6 * ENTRY_BYTES);
    fs.renameSync(`${root}/d/s`, `${root}/d/c`);
    fs.unlinkSync(`${root}/d/a`);
    fs.renameSync(`${root}/d/c`, `${root}/c`);
    assert.equal(size(), 3 * ENTRY_BYTES);
    assert.equal(fs.statSync(`${root}/d`).blocks, 0);
  });

  it("makes no directory where a name is taken", () => {
    const { fs, root } = create();
    fs.mkdirSync(`${root}/d`);
    fs.writeFileSync(`${root}/f`, "");
    fs.symlinkSync("nowhere", `${root}/l`);
    for (const name of ["d", "f", "l", "d/", "l/", "d/.", ".", ""]) {
      assert.equal(
        outcomeOf(() => fs.mkdirSync(`${root}/${name}`)),
        "EEXIST",
        name,
      );
    }
    assert.equal(
      outcomeOf(() => fs.mkdirSync(`${root}/missing/d`)),
      "ENOENT",
    );
    assert.equal(
      outcomeOf(() => fs.mkdirSync(`${root}/f/d`)),
      "ENOTDIR",
    );
    assert.equal(
      outcomeOf(() => fs.mkdirSync("/")),
      "EEXIST",
    );
  });

  it("takes a trailing slash", () => {
    const { fs, root } = create();
    fs.mkdirSync(`${root}/d/`);
    fs.rmdirSync(`${root}/d//`);
    assert.deepEqual(fs.readdirSync(root), []);
  });

  it("takes the sticky and set-group-id bits, the mask off", () => {
    const { fs, root } = create();
    fs.mkdirSync(`${root}/d`, 0o7777);
    assert.equal(fs.statSync(`${root}/d`).mode & 0o7777, 0o1755);
  });

  it("gives the first directory that mkdir -p made", () => {
    const { fs, root } = create();
    assert.equal(fs.mkdirSync(`${root}/a/b/c`, { recursive: true }), `${root}/a`);
    assert.equal(fs.mkdirSync(`${root}/a/b/d/e`, { recursive: true }), `${root}/a/b/d`);
    assert.equal(fs.mkdirSync(`${root}/a/b`, { recursive: true }), undefined);
    fs.writeFileSync(`${root}/f`, "");
    assert.equal(
      outcomeOf(() => fs.mkdirSync(`${root}/f`, { recursive: true })),
      "EEXIST",
    );
    assert.equal(
      outcomeOf(() => fs.mkdirSync(`${root}/f/x`, { recursive: true })),
      "ENOTDIR",
    );
  });

  it("removes empty directories only", () => {
    const { fs, root } = create();
    fs.mkdirSync(`${root}/full/inner`, { recursive: true });
    fs.writeFileSync(`${root}/f`, "");
    fs.symlinkSync("full/inner", `${root}/l`);
    const rmdir = (name: string): string => outcomeOf(() => fs.rmdirSync(`${root}/${name}`));
    assert.equal(rmdir("full"), "ENOTEMPTY");
    assert.equal(rmdir("f"), "ENOTDIR");
    assert.equal(rmdir("l"), "ENOTDIR");
    assert.equal(rmdir("l/"), "ENOTDIR");
    assert.equal(rmdir("full/inner/."), "EINVAL");
    assert.equal(rmdir("full/inner/.."), "ENOTEMPTY");
    assert.equal(rmdir("missing"), "ENOENT");
    assert.equal(
      outcomeOf(() => fs.rmdirSync("/")),
      "EBUSY",
    );
    assert.equal(rmdir("full/inner"), "ok");
    assert.equal(rmdir("full"), "ok");
  });

  it("lets nothing be made in a directory that is gone, though it is open", () => {
    const { at, fs, root } = withDirectory(create);
    fs.mkdirSync(`${root}/d`);
    withOpen(fs, `${root}/d`, "r", (fd) => {
      fs.rmdirSync(`${root}/d`);
      assert.equal(fs.fstatSync(fd).nlink, 0);
      assert.equal(
        outcomeOf(() => fs.writeFileSync(at("d/f"), "")),
        "ENOENT",
      );
      assert.equal(
        outcomeOf(() => fs.mkdirSync(at("d/e"))),
        "ENOENT",
      );
    });
  });

  it("changes mtime and ctime of the parent", () => {
    const { fs, root } = create();
    fs.mkdirSync(`${root}/d`);
    assert.equal(
      timesChangedBy(fs, `${root}/d`, () => fs.mkdirSync(`${root}/d/new`)),
      "mtime ctime",
    );
    assert.equal(
      timesChangedBy(fs, `${root}/d`, () => fs.rmdirSync(`${root}/d/new`)),
      "mtime ctime",
    );
    assert.equal(
      timesChangedBy(fs, `${root}/d`, () => outcomeOf(() => fs.rmdirSync(`${root}/d/new`))),
      "",
    );
  });
}

function withDirectory(create: Create) {
  const subject = create();
  return { ...subject, at: (name: string) => `${subject.root}/${name}` };
}
