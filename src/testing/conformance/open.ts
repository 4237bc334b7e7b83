/** open(2): flags and modes. */
import assert from "node:assert/strict";
import { constants } from "node:fs";
import { S_IFSOCK } from "../../base/stat-flags.ts";
import { type Create, type It, O_PATH, O_TMPFILE, outcomeOf, withOpen } from "./suite.ts";

const { O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } = constants;

export function openSuite(create: Create, it: It): void {
  it("refuses O_CREAT|O_EXCL on a dangling symlink, and creates nothing", () => {
    const { fs, root } = create();
    fs.symlinkSync("target", `${root}/link`);

    assert.equal(
      outcomeOf(() => fs.openSync(`${root}/link`, O_CREAT | O_EXCL | O_WRONLY)),
      "EEXIST",
    );
    assert.deepEqual(fs.readdirSync(root), ["link"]);
  });

  it("creates the target of a dangling symlink with O_CREAT alone", () => {
    const { fs, root } = create();
    fs.mkdirSync(`${root}/dir`);
    fs.symlinkSync("dir/target", `${root}/link`);

    fs.closeSync(fs.openSync(`${root}/link`, O_CREAT | O_WRONLY, 0o600));
    assert.deepEqual(fs.readdirSync(`${root}/dir`), ["target"]);
    assert(fs.lstatSync(`${root}/link`).isSymbolicLink());
  });

  it("ignores O_EXCL without O_CREAT", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "x");
    withOpen(fs, `${root}/f`, O_EXCL | O_RDONLY, (fd) => assert.equal(fs.readFileSync(fd, "utf8"), "x"));
  });

  it("truncates with O_TRUNC, even a file opened for reading", () => {
    const { fs, root } = create();
    for (const access of [O_RDONLY, O_WRONLY, O_RDWR]) {
      fs.writeFileSync(`${root}/f`, "contents");
      fs.closeSync(fs.openSync(`${root}/f`, access | O_TRUNC));
      assert.equal(fs.statSync(`${root}/f`).size, 0);
    }
  });

  it("does not truncate when it fails for O_EXCL", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "contents");
    assert.equal(
      outcomeOf(() => fs.openSync(`${root}/f`, O_CREAT | O_EXCL | O_TRUNC | O_WRONLY)),
      "EEXIST",
    );
    assert.equal(fs.statSync(`${root}/f`).size, 8);
  });

  it("appends with O_APPEND wherever the position and the argument say", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "0123");
    withOpen(fs, `${root}/f`, O_RDWR | O_APPEND, (fd) => {
      fs.writeSync(fd, "4", 0);
      fs.readSync(fd, Buffer.alloc(2), 0, 2, null);
      fs.writeSync(fd, "5");
      assert.equal(fs.readFileSync(`${root}/f`, "utf8"), "012345");
      assert.equal(fs.readSync(fd, Buffer.alloc(9), 0, 9, null), 0, "the position is at the end after an append");
    });
  });

  it("starts an O_APPEND descriptor at position 0 for reading", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "0123");
    withOpen(fs, `${root}/f`, "a+", (fd) => assert.equal(fs.readFileSync(fd, "utf8"), "0123"));
  });

  it("takes directories only with O_DIRECTORY", () => {
    const { fs, root } = create();
    fs.mkdirSync(`${root}/d`);
    fs.writeFileSync(`${root}/f`, "");
    fs.symlinkSync("d", `${root}/to-d`);
    fs.symlinkSync("f", `${root}/to-f`);

    for (const name of ["d", "to-d", "d/"]) fs.closeSync(fs.openSync(`${root}/${name}`, O_DIRECTORY));
    for (const name of ["f", "to-f"]) {
      assert.equal(
        outcomeOf(() => fs.openSync(`${root}/${name}`, O_DIRECTORY)),
        "ENOTDIR",
      );
    }
    assert.equal(
      outcomeOf(() => fs.openSync(`${root}/d`, O_DIRECTORY | O_WRONLY)),
      "EISDIR",
    );
  });

  it("refuses O_CREAT with O_DIRECTORY, and creates nothing", () => {
    const { fs, root } = create();
    assert.equal(
      outcomeOf(() => fs.openSync(`${root}/new`, O_CREAT | O_DIRECTORY)),
      "EINVAL",
    );
    assert.deepEqual(fs.readdirSync(root), []);
  });

  it("does not follow a symlink in the last component with O_NOFOLLOW, but does before it", () => {
    const { fs, root } = create();
    fs.mkdirSync(`${root}/d`);
    fs.writeFileSync(`${root}/d/f`, "x");
    fs.symlinkSync("d", `${root}/to-d`);
    fs.symlinkSync("d/f", `${root}/to-f`);

    fs.closeSync(fs.openSync(`${root}/to-d/f`, O_NOFOLLOW));
    assert.equal(
      outcomeOf(() => fs.openSync(`${root}/to-f`, O_NOFOLLOW)),
      "ELOOP",
    );
    assert.equal(
      outcomeOf(() => fs.openSync(`${root}/to-d`, O_NOFOLLOW | O_DIRECTORY)),
      "ENOTDIR",
    );
    assert.equal(
      outcomeOf(() => fs.openSync(`${root}/to-f`, O_NOFOLLOW | O_CREAT | O_WRONLY)),
      "ELOOP",
    );
  });

  it("opens the symlink itself with O_PATH|O_NOFOLLOW", () => {
    const { fs, root } = create();
    fs.symlinkSync("nowhere", `${root}/link`);
    withOpen(fs, `${root}/link`, O_PATH | O_NOFOLLOW, (fd) => assert(fs.fstatSync(fd).isSymbolicLink()));
    assert.equal(
      outcomeOf(() => fs.openSync(`${root}/link`, O_PATH)),
      "ENOENT",
    );
  });

  it("gives an O_PATH descriptor nothing but fstat and close", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "x");
    withOpen(fs, `${root}/f`, O_PATH | O_RDWR, (fd) => {
      assert.equal(fs.fstatSync(fd).size, 1);
      const calls: Record<string, () => unknown> = {
        read: () => fs.readSync(fd, Buffer.alloc(1)),
        write: () => fs.writeSync(fd, "y"),
        ftruncate: () => fs.ftruncateSync(fd, 0),
        fsync: () => fs.fsyncSync(fd),
        fchmod: () => fs.fchmodSync(fd, 0o600),
        fchown: () => fs.fchownSync(fd, 1, 1),
        futimes: () => fs.futimesSync(fd, 1, 1),
      };
      for (const [name, call] of Object.entries(calls)) assert.equal(outcomeOf(call), "EBADF", name);
    });
  });

  it("does not need permission on the file for O_PATH", () => {
    const { as, fs, root } = create();
    fs.writeFileSync(`${root}/f`, "x", { mode: 0 });
    fs.chmodSync(`${root}/f`, 0);
    as({ uid: 1000, gid: 1000 }, (face) => {
      withOpen(face, `${root}/f`, O_PATH, (fd) => assert.equal(face.fstatSync(fd).size, 1));
      assert.equal(
        outcomeOf(() => face.openSync(`${root}/f`, "r")),
        "EACCES",
      );
    });
  });

  it("makes a file without a name with O_TMPFILE", () => {
    const { fs, root } = create();
    withOpen(fs, root, O_TMPFILE | O_RDWR, (fd) => {
      fs.writeSync(fd, "hidden");
      assert.equal(fs.fstatSync(fd).nlink, 0);
      assert.equal(fs.fstatSync(fd).size, 6);
      assert.deepEqual(fs.readdirSync(root), []);
    });
  });

  it("wants to write with O_TMPFILE, and a directory", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "");
    assert.equal(
      outcomeOf(() => fs.openSync(root, O_TMPFILE)),
      "EINVAL",
    );
    assert.equal(
      outcomeOf(() => fs.openSync(`${root}/f`, O_TMPFILE | O_RDWR)),
      "ENOTDIR",
    );
    assert.equal(
      outcomeOf(() => fs.openSync(`${root}/missing`, O_TMPFILE | O_RDWR)),
      "ENOENT",
    );
  });

  it("gives the lowest free descriptor", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "");
    const fds = [1, 2, 3].map(() => fs.openSync(`${root}/f`, "r"));
    fs.closeSync(fds[1]);
    fs.closeSync(fds[0]);
    assert.equal(fs.openSync(`${root}/f`, "r"), fds[0]);
    assert.equal(fs.openSync(`${root}/f`, "r"), fds[1]);
    for (const fd of fds) fs.closeSync(fd);
    assert.equal(
      outcomeOf(() => fs.closeSync(fds[0])),
      "EBADF",
    );
  });

  it("takes the mode only when it creates, and then opens whatever the mode says", () => {
    const { as, fs, root } = create();
    fs.chmodSync(root, 0o777);
    as({ uid: 1000, gid: 1000 }, (face) => {
      const fd = face.openSync(`${root}/f`, "wx+", 0);
      face.writeSync(fd, "mine");
      face.closeSync(fd);
      assert.equal(
        outcomeOf(() => face.openSync(`${root}/f`, "r")),
        "EACCES",
      );
    });
    fs.closeSync(fs.openSync(`${root}/f`, "w", 0o777));
    assert.equal(fs.statSync(`${root}/f`).mode & 0o7777, 0);
  });

  it("never opens a directory for writing", () => {
    const { fs, root } = create();
    for (const flags of ["w", "r+", "a", O_RDONLY | O_CREAT, O_RDONLY | O_TRUNC]) {
      assert.equal(
        outcomeOf(() => fs.openSync(root, flags)),
        "EISDIR",
        String(flags),
      );
    }
  });

  it("gives a directory that cannot be read or written as a file", () => {
    const { fs, root } = create();
    withOpen(fs, root, "r", (fd) => {
      assert.equal(
        outcomeOf(() => fs.readSync(fd, Buffer.alloc(1))),
        "EISDIR",
      );
      assert.equal(
        outcomeOf(() => fs.writeSync(fd, "x")),
        "EBADF",
      );
      assert.equal(
        outcomeOf(() => fs.ftruncateSync(fd, 0)),
        "EINVAL",
      );
      fs.fsyncSync(fd);
    });
  });

  it("lets through only what the access mode allows", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "x");
    withOpen(fs, `${root}/f`, "r", (fd) =>
      assert.equal(
        outcomeOf(() => fs.writeSync(fd, "y")),
        "EBADF",
      ),
    );
    withOpen(fs, `${root}/f`, "a", (fd) =>
      assert.equal(
        outcomeOf(() => fs.readSync(fd, Buffer.alloc(1))),
        "EBADF",
      ),
    );
    withOpen(fs, `${root}/f`, 3, (fd) => {
      assert.equal(
        outcomeOf(() => fs.writeSync(fd, "y")),
        "EBADF",
      );
      assert.equal(
        outcomeOf(() => fs.readSync(fd, Buffer.alloc(1))),
        "EBADF",
      );
    });
  });

  it("refuses a socket", () => {
    const { fs, root } = create();
    fs.mknodSync(`${root}/s`, S_IFSOCK | 0o666, 0);
    assert.equal(
      outcomeOf(() => fs.openSync(`${root}/s`, "r")),
      "ENXIO",
    );
    withOpen(fs, `${root}/s`, O_PATH, (fd) => assert(fs.fstatSync(fd).isSocket()));
  });

  it("keeps an unlinked file for those who have it open, and makes a new one under its name", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "old");
    withOpen(fs, `${root}/f`, "r+", (fd) => {
      fs.unlinkSync(`${root}/f`);
      fs.writeFileSync(`${root}/f`, "new");
      fs.writeSync(fd, "OLD+", 0);
      assert.equal(fs.readFileSync(fd, "utf8"), "OLD+");
      assert.equal(fs.fstatSync(fd).nlink, 0);
      assert.equal(fs.readFileSync(`${root}/f`, "utf8"), "new");
    });
  });
}
