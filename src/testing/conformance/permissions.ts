/** Who may do what: the cases that POSIX names. The whole matrix is in test/differential/permissions.test.ts. */
import assert from "node:assert/strict";
import type { NodeFs, Subject } from "./subject.ts";
import { type Create, type It, outcomeOf, withOpen } from "./suite.ts";

const ALICE = { uid: 1000, gid: 1000 };
const BOB = { uid: 1001, gid: 1001, groups: [50] };

function own(fs: NodeFs, path: string, uid: number, gid: number, mode: number): void {
  fs.chownSync(path, uid, gid);
  fs.chmodSync(path, mode);
}

/** A directory that all may write in. */
function shared(subject: Subject): string {
  subject.fs.mkdirSync(`${subject.root}/shared`);
  subject.fs.chmodSync(`${subject.root}/shared`, 0o777);
  return `${subject.root}/shared`;
}

export function permissionSuite(create: Create, it: It): void {
  it("gives new files to who makes them", () => {
    const subject = create();
    const dir = shared(subject);
    subject.as(ALICE, (fs) => {
      fs.writeFileSync(`${dir}/f`, "");
      fs.mkdirSync(`${dir}/d`);
      fs.symlinkSync("x", `${dir}/l`);
    });
    for (const name of ["f", "d", "l"]) {
      const { uid, gid } = subject.fs.lstatSync(`${dir}/${name}`);
      assert.deepEqual([uid, gid], [1000, 1000]);
    }
  });

  it("looks at the first class that fits, and at no other", () => {
    const subject = create();
    const { as, fs, root } = subject;
    fs.writeFileSync(`${root}/f`, "x");
    own(fs, `${root}/f`, ALICE.uid, 50, 0o077);
    assert.equal(
      as(ALICE, (face) => outcomeOf(() => face.readFileSync(`${root}/f`))),
      "EACCES",
    );
    own(fs, `${root}/f`, ALICE.uid, 50, 0o707);
    assert.equal(
      as(BOB, (face) => outcomeOf(() => face.readFileSync(`${root}/f`))),
      "EACCES",
    );
    own(fs, `${root}/f`, ALICE.uid, 50, 0o040);
    assert.equal(
      as(BOB, (face) => outcomeOf(() => face.readFileSync(`${root}/f`))),
      "ok",
    );
  });

  it("checks at open, not later", () => {
    const subject = create();
    const dir = shared(subject);
    subject.as(ALICE, (fs) => {
      fs.writeFileSync(`${dir}/f`, "x");
      withOpen(fs, `${dir}/f`, "r+", (fd) => {
        fs.chmodSync(`${dir}/f`, 0);
        assert.equal(fs.writeSync(fd, "y"), 1);
        assert.equal(
          outcomeOf(() => fs.openSync(`${dir}/f`, "r")),
          "EACCES",
        );
      });
    });
  });

  it("lets owners and root alone change modes and times", () => {
    const subject = create();
    const { as, fs, root } = subject;
    fs.writeFileSync(`${root}/f`, "x");
    own(fs, `${root}/f`, ALICE.uid, 50, 0o666);
    as(BOB, (face) => {
      assert.equal(
        outcomeOf(() => face.chmodSync(`${root}/f`, 0o600)),
        "EPERM",
      );
      assert.equal(
        outcomeOf(() => face.utimesSync(`${root}/f`, 1, 1)),
        "EPERM",
      );
      assert.equal(
        outcomeOf(() => face.chownSync(`${root}/f`, BOB.uid, -1)),
        "EPERM",
      );
    });
    as(ALICE, (face) => {
      face.chmodSync(`${root}/f`, 0o600);
      face.utimesSync(`${root}/f`, 1, 1);
      assert.equal(
        outcomeOf(() => face.chownSync(`${root}/f`, BOB.uid, -1)),
        "EPERM",
      );
      face.chownSync(`${root}/f`, -1, ALICE.gid);
      assert.equal(
        outcomeOf(() => face.chownSync(`${root}/f`, -1, 50)),
        "EPERM",
      );
    });
  });

  it("needs search permission all along the path, and read permission to list", () => {
    const subject = create();
    const { as, fs, root } = subject;
    fs.mkdirSync(`${root}/d/e`, { recursive: true });
    fs.writeFileSync(`${root}/d/e/f`, "x");
    fs.chmodSync(`${root}/d`, 0o744);
    assert.deepEqual(
      as(ALICE, (face) => face.readdirSync(`${root}/d`)),
      ["e"],
    );
    for (const name of ["d/e/f", "d/missing", "d/e/../..", "d/."]) {
      assert.equal(
        as(ALICE, (face) => outcomeOf(() => face.statSync(`${root}/${name}`))),
        "EACCES",
        name,
      );
    }
    fs.chmodSync(`${root}/d`, 0o711);
    assert.equal(
      as(ALICE, (face) => outcomeOf(() => face.readdirSync(`${root}/d`))),
      "EACCES",
    );
    assert.equal(
      as(ALICE, (face) => face.readFileSync(`${root}/d/e/f`, "utf8")),
      "x",
    );
  });

  it("lets who may write the directory remove what others own, unless it is sticky", () => {
    const subject = create();
    const { as, fs } = subject;
    const dir = shared(subject);
    fs.writeFileSync(`${dir}/a`, "");
    own(fs, `${dir}/a`, ALICE.uid, ALICE.gid, 0o600);
    assert.equal(
      as(BOB, (face) => outcomeOf(() => face.unlinkSync(`${dir}/a`))),
      "ok",
    );
    fs.chmodSync(dir, 0o1777);
    fs.writeFileSync(`${dir}/a`, "");
    own(fs, `${dir}/a`, ALICE.uid, ALICE.gid, 0o666);
    as(BOB, (face) => {
      assert.equal(
        outcomeOf(() => face.unlinkSync(`${dir}/a`)),
        "EPERM",
      );
      assert.equal(
        outcomeOf(() => face.renameSync(`${dir}/a`, `${dir}/b`)),
        "EPERM",
      );
      face.writeFileSync(`${dir}/mine`, "");
      assert.equal(
        outcomeOf(() => face.renameSync(`${dir}/mine`, `${dir}/a`)),
        "EPERM",
      );
    });
    assert.equal(
      as(ALICE, (face) => outcomeOf(() => face.unlinkSync(`${dir}/a`))),
      "ok",
    );
  });

  it("needs write permission on a directory that moves to another parent", () => {
    const subject = create();
    const { as, fs } = subject;
    const dir = shared(subject);
    fs.mkdirSync(`${dir}/other`);
    fs.chmodSync(`${dir}/other`, 0o777);
    fs.mkdirSync(`${dir}/d`);
    assert.equal(
      as(ALICE, (face) => outcomeOf(() => face.renameSync(`${dir}/d`, `${dir}/other/d`))),
      "EACCES",
    );
    assert.equal(
      as(ALICE, (face) => outcomeOf(() => face.renameSync(`${dir}/d`, `${dir}/e`))),
      "ok",
    );
  });

  it("passes the group of a set-group-id directory on, and the bit to directories", () => {
    const subject = create();
    const { as, fs } = subject;
    const dir = shared(subject);
    own(fs, dir, 0, 77, 0o2777);
    as(ALICE, (face) => {
      face.writeFileSync(`${dir}/f`, "");
      face.mkdirSync(`${dir}/d`);
    });
    assert.equal(fs.statSync(`${dir}/f`).gid, 77);
    assert.equal(fs.statSync(`${dir}/f`).mode & 0o7777, 0o644);
    assert.equal(fs.statSync(`${dir}/d`).gid, 77);
    assert.equal(fs.statSync(`${dir}/d`).mode & 0o7777, 0o2755);
  });

  it("takes set-id bits off a file that is written or given away", () => {
    const subject = create();
    const { as, fs, root } = subject;
    const fresh = (): void => {
      fs.writeFileSync(`${root}/f`, "x");
      own(fs, `${root}/f`, ALICE.uid, ALICE.gid, 0o6777);
    };
    const mode = (): number => fs.statSync(`${root}/f`).mode & 0o7777;
    fresh();
    as(BOB, (face) => face.appendFileSync(`${root}/f`, "y"));
    assert.equal(mode(), 0o777);
    fresh();
    as(BOB, (face) => face.truncateSync(`${root}/f`, 0));
    assert.equal(mode(), 0o777);
    fresh();
    fs.chownSync(`${root}/f`, BOB.uid, BOB.gid);
    assert.equal(mode(), 0o777);
    fresh();
    fs.appendFileSync(`${root}/f`, "root may");
    assert.equal(mode(), 0o6777);
  });

  it("lets root do all that modes forbid", () => {
    const { fs, root } = create();
    fs.mkdirSync(`${root}/d`);
    fs.writeFileSync(`${root}/d/f`, "x");
    own(fs, `${root}/d/f`, ALICE.uid, ALICE.gid, 0);
    own(fs, `${root}/d`, ALICE.uid, ALICE.gid, 0);
    assert.equal(fs.readFileSync(`${root}/d/f`, "utf8"), "x");
    fs.writeFileSync(`${root}/d/g`, "");
    fs.unlinkSync(`${root}/d/f`);
  });
}
