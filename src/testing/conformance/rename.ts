/** rename(2) and renameat2(2). */
import assert from "node:assert/strict";
import { RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT } from "../../base/stat-flags.ts";
import type { Subject } from "./subject.ts";
import { type Create, type It, kernelOf, outcomeOf, pattern, timesChangedBy, withOpen } from "./suite.ts";

/** Renames within the subject's root. @returns a code or "ok" */
function rename({ fs, root }: Subject, from: string, to: string): string {
  return outcomeOf(() => fs.renameSync(`${root}/${from}`, `${root}/${to}`));
}

export function renameSuite(create: Create, it: It): void {
  it("gives the file its new name: same inode, same contents", () => {
    const subject = create();
    const { fs, root } = subject;
    fs.writeFileSync(`${root}/a`, "a");
    const { ino } = fs.statSync(`${root}/a`);

    assert.equal(rename(subject, "a", "b"), "ok");
    assert.deepEqual(fs.readdirSync(root), ["b"]);
    assert.equal(fs.statSync(`${root}/b`).ino, ino);
    assert.equal(fs.readFileSync(`${root}/b`, "utf8"), "a");
  });

  it("keeps an open file readable after its name is taken over", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/old`, "old");
    fs.writeFileSync(`${root}/new`, "new");
    const fd = fs.openSync(`${root}/old`, "r");

    fs.renameSync(`${root}/new`, `${root}/old`);

    assert.equal(fs.readFileSync(fd, "utf8"), "old");
    assert.equal(fs.fstatSync(fd).nlink, 0);
    assert.equal(fs.readFileSync(`${root}/old`, "utf8"), "new");
    fs.closeSync(fd);
  });

  it("keeps an open descriptor on the file that moves", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/a`, "one");
    withOpen(fs, `${root}/a`, "a", (fd) => {
      fs.mkdirSync(`${root}/d`);
      fs.renameSync(`${root}/a`, `${root}/d/b`);
      fs.writeSync(fd, " two");
    });
    assert.equal(fs.readFileSync(`${root}/d/b`, "utf8"), "one two");
  });

  it("moves the symlink itself, and takes the place of one", () => {
    const subject = create();
    const { fs, root } = subject;
    fs.writeFileSync(`${root}/target`, "t");
    fs.symlinkSync("target", `${root}/link`);

    assert.equal(rename(subject, "link", "moved"), "ok");
    assert.equal(fs.readlinkSync(`${root}/moved`), "target");
    fs.writeFileSync(`${root}/file`, "f");
    assert.equal(rename(subject, "file", "moved"), "ok");
    assert(fs.lstatSync(`${root}/moved`).isFile());
    assert.equal(fs.readFileSync(`${root}/target`, "utf8"), "t");
  });

  it("moves a directory with all that is in it, and its ..", () => {
    const subject = create();
    const { fs, root } = subject;
    fs.mkdirSync(`${root}/a/b/c`, { recursive: true });
    fs.mkdirSync(`${root}/x`);
    fs.writeFileSync(`${root}/x/here`, "");

    assert.equal(rename(subject, "a/b", "x/b"), "ok");
    assert(fs.existsSync(`${root}/x/b/c`));
    assert(fs.existsSync(`${root}/x/b/../here`));
    assert.equal(fs.statSync(`${root}/a`).nlink, 2);
    assert.equal(fs.statSync(`${root}/x`).nlink, 3);
  });

  it("takes the place of an empty directory, never of a full one, and loses nothing", () => {
    const subject = create();
    const { fs, root } = subject;
    for (const name of ["full", "full2", "empty"]) fs.mkdirSync(`${root}/${name}`);
    fs.writeFileSync(`${root}/full/f`, "1");
    fs.writeFileSync(`${root}/full2/f`, "2");

    assert.equal(rename(subject, "full", "full2"), "ENOTEMPTY");
    assert.equal(rename(subject, "empty", "full"), "ENOTEMPTY");
    assert.equal(fs.readFileSync(`${root}/full/f`, "utf8"), "1");
    assert.equal(fs.readFileSync(`${root}/full2/f`, "utf8"), "2");
    assert.equal(rename(subject, "full", "empty"), "ok");
    assert.equal(fs.readFileSync(`${root}/empty/f`, "utf8"), "1");
    assert.deepEqual(fs.readdirSync(root), ["empty", "full2"]);
  });

  it("never puts a directory into itself", () => {
    const subject = create();
    const { fs, root } = subject;
    fs.mkdirSync(`${root}/a/b/c`, { recursive: true });
    fs.symlinkSync("a/b", `${root}/link`);

    for (const to of ["a/x", "a/b/x", "a/b/c/x", "link/x", "a/b/../x"])
      assert.equal(rename(subject, "a", to), "EINVAL", to);
    assert.equal(rename(subject, "a/b/c", "a"), "ENOTEMPTY");
    assert.equal(rename(subject, "a/b/c", "a/b"), "ENOTEMPTY");
    assert(fs.existsSync(`${root}/a/b/c`));
  });

  it("tells directories and others apart", () => {
    const subject = create();
    const { fs, root } = subject;
    fs.mkdirSync(`${root}/d`);
    fs.writeFileSync(`${root}/f`, "");
    fs.symlinkSync("d", `${root}/l`);

    assert.equal(rename(subject, "d", "f"), "ENOTDIR");
    assert.equal(rename(subject, "f", "d"), "EISDIR");
    assert.equal(rename(subject, "d", "l"), "ENOTDIR");
    assert.equal(rename(subject, "l", "d"), "EISDIR");
    assert.equal(rename(subject, "f/", "x"), "ENOTDIR");
    assert.equal(rename(subject, "f", "x/"), "ENOTDIR");
    assert.equal(rename(subject, "d", "x/"), "ok");
  });

  it("does nothing, and succeeds, for two names of one file", () => {
    const subject = create();
    const { fs, root } = subject;
    fs.writeFileSync(`${root}/a`, "");
    fs.linkSync(`${root}/a`, `${root}/b`);
    assert.equal(rename(subject, "a", "b"), "ok");
    assert.equal(rename(subject, "a", "a"), "ok");
    assert.deepEqual(fs.readdirSync(root), ["a", "b"]);
  });

  it("names errors in the kernel's order", () => {
    const subject = create();
    const { fs, root } = subject;
    fs.mkdirSync(`${root}/d`);
    fs.writeFileSync(`${root}/f`, "");
    assert.equal(rename(subject, "missing", "x"), "ENOENT");
    assert.equal(rename(subject, "f", "missing/x"), "ENOENT");
    assert.equal(rename(subject, "f/x", "y"), "ENOTDIR");
    assert.equal(rename(subject, "f", "f/x"), "ENOTDIR");
    assert.equal(rename(subject, "d/.", "x"), "EBUSY");
    assert.equal(rename(subject, "d", "x/."), "ENOENT");
    assert.equal(rename(subject, "d/..", "x"), "EBUSY");
    assert.equal(rename(subject, "f", "d/.."), "EBUSY");
    assert.equal(rename(subject, "f", "n".repeat(256)), "ENAMETOOLONG");
  });

  it("drops a link of what it replaces", () => {
    const subject = create();
    const { fs, root } = subject;
    fs.writeFileSync(`${root}/a`, "");
    fs.writeFileSync(`${root}/b`, "");
    fs.linkSync(`${root}/b`, `${root}/b2`);
    assert.equal(rename(subject, "a", "b"), "ok");
    assert.equal(fs.statSync(`${root}/b2`).nlink, 1);
    assert.equal(fs.statSync(`${root}/b`).nlink, 1);
  });

  it("frees what it replaces", (context) => {
    const subject = create();
    const kernel = kernelOf(subject, context, "the host's memory is not this test's alone");
    const { fs, root } = subject;
    fs.writeFileSync(`${root}/big`, pattern(1 << 20));
    const before = kernel.vmstat();
    for (let i = 0; i < 20; i++) {
      fs.writeFileSync(`${root}/new`, pattern(1 << 20));
      fs.renameSync(`${root}/new`, `${root}/big`);
    }
    const after = kernel.vmstat();
    assert.equal(after.nr_file_pages, before.nr_file_pages);
    assert.equal(after.nr_inodes, before.nr_inodes);
    assert.equal(after.nr_dentries, before.nr_dentries);
  });

  it("changes ctime of what moves, and mtime and ctime of both directories", () => {
    const { fs, root } = create();
    fs.mkdirSync(`${root}/from`);
    fs.mkdirSync(`${root}/to`);
    fs.writeFileSync(`${root}/from/f`, "");
    fs.writeFileSync(`${root}/from/g`, "");
    fs.writeFileSync(`${root}/from/h`, "");
    assert.equal(
      timesChangedBy(fs, `${root}/from`, () => fs.renameSync(`${root}/from/f`, `${root}/to/f`)),
      "mtime ctime",
    );
    assert.equal(
      timesChangedBy(fs, `${root}/to`, () => fs.renameSync(`${root}/from/g`, `${root}/to/g`)),
      "mtime ctime",
    );
    fs.lutimesSync(`${root}/from/h`, 1e9, 1e9);
    const before = fs.statSync(`${root}/from/h`, { bigint: true });
    assert.equal(
      timesChangedBy(fs, `${root}/to`, () => fs.renameSync(`${root}/from/h`, `${root}/to/h`)),
      "mtime ctime",
    );
    const after = fs.statSync(`${root}/to/h`, { bigint: true });
    assert.equal(after.mtimeNs, before.mtimeNs);
    assert(after.ctimeNs > before.ctimeNs);
  });

  it("refuses to replace with RENAME_NOREPLACE", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/a`, "a");
    fs.writeFileSync(`${root}/b`, "b");
    assert.equal(
      outcomeOf(() => fs.renameat2Sync(`${root}/a`, `${root}/b`, RENAME_NOREPLACE)),
      "EEXIST",
    );
    assert.equal(
      outcomeOf(() => fs.renameat2Sync(`${root}/a`, `${root}/a`, RENAME_NOREPLACE)),
      "EEXIST",
    );
    fs.renameat2Sync(`${root}/a`, `${root}/c`, RENAME_NOREPLACE);
    assert.deepEqual(fs.readdirSync(root), ["b", "c"]);
  });

  it("exchanges two names with RENAME_EXCHANGE, whatever they are", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/file`, "f");
    fs.mkdirSync(`${root}/x/dir`, { recursive: true });
    fs.writeFileSync(`${root}/x/dir/inside`, "");
    fs.renameat2Sync(`${root}/file`, `${root}/x/dir`, RENAME_EXCHANGE);
    assert.equal(fs.readFileSync(`${root}/x/dir`, "utf8"), "f");
    assert.deepEqual(fs.readdirSync(`${root}/file`), ["inside"]);
    assert.equal(fs.statSync(`${root}/x`).nlink, 2);
    assert.equal(fs.statSync(root).nlink, 4);
    assert.equal(
      outcomeOf(() => fs.renameat2Sync(`${root}/x`, `${root}/missing`, RENAME_EXCHANGE)),
      "ENOENT",
    );
    assert.equal(
      outcomeOf(() => fs.renameat2Sync(`${root}/x`, `${root}/x/dir`, RENAME_EXCHANGE)),
      "EINVAL",
    );
    const both = RENAME_EXCHANGE | RENAME_NOREPLACE;
    assert.equal(
      outcomeOf(() => fs.renameat2Sync(`${root}/file`, `${root}/x`, both)),
      "EINVAL",
    );
  });

  it("leaves a whiteout with RENAME_WHITEOUT: a character device 0:0 without permissions", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/a`, "a");
    fs.mkdirSync(`${root}/dir/full`, { recursive: true });
    for (const [from, to] of [
      ["a", "b"],
      ["dir", "moved"],
    ]) {
      fs.renameat2Sync(`${root}/${from}`, `${root}/${to}`, RENAME_WHITEOUT);
      const left = fs.lstatSync(`${root}/${from}`);
      assert.equal(`${left.isCharacterDevice()} ${left.mode & 0o7777} ${left.rdev} ${left.nlink}`, "true 0 0 1");
    }
    assert.equal(fs.readFileSync(`${root}/b`, "utf8"), "a");
    assert.deepEqual(fs.readdirSync(`${root}/moved`), ["full"]);
    const { nlink, size } = fs.statSync(root);
    assert.deepEqual([nlink, size], [3, 120]);
  });

  it("keeps the order of names with RENAME_WHITEOUT: first the name that moved, then its whiteout", () => {
    const { fs, root } = create();
    const order = (): string[] => {
      const dir = fs.opendirSync(root);
      const names: string[] = [];
      for (let entry = dir.readSync(); entry; entry = dir.readSync()) names.push(entry.name);
      dir.closeSync();
      return names;
    };
    for (const name of ["a", "b", "c"]) fs.writeFileSync(`${root}/${name}`, name);
    fs.renameat2Sync(`${root}/a`, `${root}/new`, RENAME_WHITEOUT);
    assert.deepEqual(order(), ["new", "a", "c", "b"]);
    fs.renameat2Sync(`${root}/b`, `${root}/c`, RENAME_WHITEOUT);
    assert.deepEqual(order(), ["c", "b", "new", "a"]);
    assert.equal(fs.readFileSync(`${root}/c`, "utf8"), "b");
  });
}
