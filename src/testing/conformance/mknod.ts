/** mknod(2): fifos, sockets and devices as inodes; and umask(2). */
import assert from "node:assert/strict";
import { constants } from "node:fs";
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFREG, S_IFSOCK } from "../../base/stat-flags.ts";
import { type Create, type It, outcomeOf } from "./suite.ts";

const { O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** What mknod makes: name, type, device number, and what Stats call it. */
const KINDS = [
  ["fifo", S_IFIFO, 0, "isFIFO"],
  ["socket", S_IFSOCK, 0, "isSocket"],
  ["character device", S_IFCHR, 0x103, "isCharacterDevice"],
  ["block device", S_IFBLK, 0x705, "isBlockDevice"],
  ["regular file", S_IFREG, 0, "isFile"],
] as const;

export function mknodSuite(create: Create, it: It): void {
  for (const [name, type, dev, test] of KINDS) {
    it(`makes a ${name}`, () => {
      const { fs, root } = create();
      fs.mknodSync(`${root}/n`, type | 0o666, dev);
      const stats = fs.lstatSync(`${root}/n`);
      assert(stats[test]());
      assert.equal(stats.mode & 0o7777, 0o644);
      assert.equal(stats.rdev, dev);
      assert.equal(stats.size, 0);
      assert.equal(stats.nlink, 1);
      fs.renameSync(`${root}/n`, `${root}/m`);
      fs.chmodSync(`${root}/m`, 0o600);
      fs.chownSync(`${root}/m`, 3, 4);
      fs.utimesSync(`${root}/m`, 5, 6);
      fs.unlinkSync(`${root}/m`);
    });
  }

  it("makes a regular file when no type is given, and never a directory", () => {
    const { fs, root } = create();
    fs.mknodSync(`${root}/f`, 0o600, 0);
    assert(fs.lstatSync(`${root}/f`).isFile());
    assert.equal(
      outcomeOf(() => fs.mknodSync(`${root}/d`, S_IFDIR | 0o755, 0)),
      "EPERM",
    );
  });

  it("refuses names that are taken and paths that lead nowhere", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "");
    fs.symlinkSync("nowhere", `${root}/l`);
    const mkfifo = (name: string): string => outcomeOf(() => fs.mknodSync(`${root}/${name}`, S_IFIFO | 0o600, 0));
    assert.equal(mkfifo("f"), "EEXIST");
    assert.equal(mkfifo("l"), "EEXIST");
    assert.equal(mkfifo("missing/x"), "ENOENT");
    assert.equal(mkfifo("f/x"), "ENOTDIR");
    assert.equal(mkfifo("x/"), "ENOENT");
  });

  it("opens no fifo for writing while nobody reads, nor as a directory", () => {
    const { fs, root } = create();
    fs.mknodSync(`${root}/p`, S_IFIFO | 0o600, 0);
    assert.equal(
      outcomeOf(() => fs.openSync(`${root}/p`, O_WRONLY | O_NONBLOCK)),
      "ENXIO",
    );
    assert.equal(
      outcomeOf(() => fs.openSync(`${root}/p`, O_RDONLY | constants.O_DIRECTORY)),
      "ENOTDIR",
    );
  });

  it("takes the bits of the umask off whatever makes a file", () => {
    const { as, fs, root } = create();
    fs.chmodSync(root, 0o777);
    for (const umask of [0, 0o022, 0o027, 0o077, 0o777]) {
      as({ uid: 0, gid: 0, umask }, (face) => {
        face.writeFileSync(`${root}/f`, "");
        face.mkdirSync(`${root}/d`);
        face.symlinkSync("x", `${root}/l`);
        face.closeSync(face.openSync(`${root}/o`, "w", 0o4777));
      });
      assert.equal(fs.statSync(`${root}/f`).mode & 0o7777, 0o666 & ~umask);
      assert.equal(fs.statSync(`${root}/d`).mode & 0o7777, 0o777 & ~umask);
      assert.equal(fs.lstatSync(`${root}/l`).mode & 0o7777, 0o777);
      assert.equal(fs.statSync(`${root}/o`).mode & 0o7777, 0o4777 & ~umask);
      fs.chmodSync(`${root}/f`, 0o777);
      assert.equal(fs.statSync(`${root}/f`).mode & 0o7777, 0o777);
      for (const name of ["f", "l", "o"]) fs.unlinkSync(`${root}/${name}`);
      fs.rmdirSync(`${root}/d`);
    }
  });
}
