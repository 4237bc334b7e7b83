/** symlink(2), readlink(2), and how paths are walked: links, `..`, slashes, lengths, names of any bytes. */
import assert from "node:assert/strict";
import { type Create, type It, outcomeOf, timesChangedBy } from "./suite.ts";

/** Links that a walk follows at most. @see Linux include/linux/namei.h MAXSYMLINKS */
const MAX_SYMLINKS = 40;
const NAME_BYTES = 255;
const PATH_BYTES = 4095;

/**
 * Makes a call again that fails with ELOOP: where others change names meanwhile Linux starts a walk over, and counts the
 * links of both (fs/namei.c path_openat() after -ECHILD).
 */
function withoutRestart<T>(call: () => T): T {
  for (let tries = 1; tries < 5; tries++) if (outcomeOf(call) !== "ELOOP") break;
  return call();
}

export function symlinkSuite(create: Create, it: It): void {
  it("keeps the target as it was given, whatever it is", () => {
    const { fs, root } = create();
    const targets = [
      "x",
      "a/../b",
      "//",
      "tr/ailing/",
      "ü-😀",
      "back\\slash",
      " ",
      "t".repeat(1000),
      "t".repeat(PATH_BYTES),
    ];
    for (const [i, target] of targets.entries()) {
      fs.symlinkSync(target, `${root}/${i}`);
      assert.equal(fs.readlinkSync(`${root}/${i}`), target);
      assert.equal(fs.lstatSync(`${root}/${i}`).size, Buffer.byteLength(target));
    }
    const raw = Buffer.from([0x61, 0xff, 0xfe]);
    fs.symlinkSync(raw, `${root}/raw`);
    assert(fs.readlinkSync(`${root}/raw`, "buffer").equals(raw));
  });

  it("has mode 777 whatever the mask, and an owner of its own", () => {
    const { fs, root } = create();
    fs.symlinkSync("f", `${root}/l`);
    fs.writeFileSync(`${root}/f`, "");
    assert.equal(fs.lstatSync(`${root}/l`).mode, 0o120777);
    fs.lchownSync(`${root}/l`, 5, 6);
    assert.equal(fs.lstatSync(`${root}/l`).uid, 5);
    assert.equal(fs.statSync(`${root}/l`).uid, 0);
  });

  it("refuses an empty target, one that is too long, and a name that is taken", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "");
    assert.equal(
      outcomeOf(() => fs.symlinkSync("", `${root}/l`)),
      "ENOENT",
    );
    assert.equal(
      outcomeOf(() => fs.symlinkSync("x".repeat(PATH_BYTES + 1), `${root}/l`)),
      "ENAMETOOLONG",
    );
    assert.equal(
      outcomeOf(() => fs.symlinkSync("x", `${root}/f`)),
      "EEXIST",
    );
    assert.equal(
      outcomeOf(() => fs.symlinkSync("x", `${root}/l/`)),
      "ENOENT",
    );
  });

  it("reads links only", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "");
    fs.symlinkSync(".", `${root}/l`);
    assert.equal(
      outcomeOf(() => fs.readlinkSync(`${root}/f`)),
      "EINVAL",
    );
    assert.equal(
      outcomeOf(() => fs.readlinkSync(root)),
      "EINVAL",
    );
    assert.equal(
      outcomeOf(() => fs.readlinkSync(`${root}/l/`)),
      "EINVAL",
    );
  });

  it("walks a relative target from where the link is, an absolute one from the root", () => {
    const { fs, root } = create();
    fs.mkdirSync(`${root}/d/e`, { recursive: true });
    fs.writeFileSync(`${root}/d/f`, "in d");
    fs.symlinkSync("f", `${root}/d/here`);
    fs.symlinkSync("../f", `${root}/d/e/up`);
    fs.symlinkSync(`${root}/d/f`, `${root}/absolute`);
    fs.symlinkSync("d/e", `${root}/to-e`);
    for (const name of ["d/here", "d/e/up", "absolute", "to-e/up"]) {
      assert.equal(fs.readFileSync(`${root}/${name}`, "utf8"), "in d", name);
    }
  });

  it("resolves link/.. physically", () => {
    const { fs, root } = create();
    fs.mkdirSync(`${root}/a/b`, { recursive: true });
    fs.writeFileSync(`${root}/a/f`, "in a");
    fs.writeFileSync(`${root}/f`, "in root");
    fs.symlinkSync("a/b", `${root}/link`);
    assert.equal(fs.readFileSync(`${root}/link/../f`, "utf8"), "in a");
    assert.equal(fs.realpathSync.native(`${root}/link/..`), `${root}/a`);
  });

  it("stays at the root with ..", () => {
    const { fs, root } = create();
    assert.equal(fs.realpathSync.native(`/../.././..${root}/.`), root);
  });

  it(`follows ${MAX_SYMLINKS} links in a chain and no more`, () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/0`, "end");
    for (let i = 1; i <= MAX_SYMLINKS + 1; i++) fs.symlinkSync(String(i - 1), `${root}/${i}`);
    assert.equal(
      withoutRestart(() => fs.readFileSync(`${root}/${MAX_SYMLINKS}`, "utf8")),
      "end",
    );
    assert.equal(
      outcomeOf(() => fs.readFileSync(`${root}/${MAX_SYMLINKS + 1}`)),
      "ELOOP",
    );
    assert(fs.lstatSync(`${root}/${MAX_SYMLINKS + 1}`).isSymbolicLink());
  });

  it(`follows ${MAX_SYMLINKS} links along a path and no more`, () => {
    const { fs, root } = create();
    fs.symlinkSync(".", `${root}/l`);
    assert(fs.statSync(`${root}${"/l".repeat(MAX_SYMLINKS)}`).isDirectory());
    assert.equal(
      outcomeOf(() => fs.statSync(`${root}${"/l".repeat(MAX_SYMLINKS + 1)}`)),
      "ELOOP",
    );
  });

  it("finds loops", () => {
    const { fs, root } = create();
    fs.symlinkSync("self", `${root}/self`);
    fs.symlinkSync("b", `${root}/a`);
    fs.symlinkSync("a", `${root}/b`);
    for (const name of ["self", "a", "a/x", "self/"]) {
      assert.equal(
        outcomeOf(() => fs.statSync(`${root}/${name}`)),
        "ELOOP",
        name,
      );
    }
    assert.equal(
      outcomeOf(() => fs.writeFileSync(`${root}/self`, "")),
      "ELOOP",
    );
    fs.unlinkSync(`${root}/self`);
  });

  it("takes a trailing slash for: a directory it must be", () => {
    const { fs, root } = create();
    fs.mkdirSync(`${root}/d`);
    fs.writeFileSync(`${root}/f`, "");
    fs.symlinkSync("d", `${root}/to-d`);
    fs.symlinkSync("f", `${root}/to-f`);
    assert(fs.lstatSync(`${root}/to-d/`).isDirectory());
    for (const name of ["f/", "to-f/", "f/.", "to-f/.", "f/.."]) {
      assert.equal(
        outcomeOf(() => fs.lstatSync(`${root}/${name}`)),
        "ENOTDIR",
        name,
      );
    }
    assert.equal(
      outcomeOf(() => fs.openSync(`${root}/new/`, "w")),
      "EISDIR",
    );
    assert.equal(
      outcomeOf(() => fs.openSync(`${root}/f/`, "w")),
      "EISDIR",
    );
    assert.deepEqual(fs.readdirSync(root), ["d", "f", "to-d", "to-f"]);
  });

  it("takes doubled slashes and dots for nothing", () => {
    const { fs, root } = create();
    fs.mkdirSync(`${root}/d`);
    fs.writeFileSync(`${root}/d/f`, "x");
    assert.equal(fs.readFileSync(`//${root}///d/././/f`, "utf8"), "x");
  });

  it("checks that what comes before .. is there, and a directory", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "");
    assert.equal(
      outcomeOf(() => fs.statSync(`${root}/missing/..`)),
      "ENOENT",
    );
    assert.equal(
      outcomeOf(() => fs.statSync(`${root}/f/../f`)),
      "ENOTDIR",
    );
  });

  it("measures names in bytes", () => {
    const { fs, root } = create();
    for (const name of ["n".repeat(NAME_BYTES), `${"é".repeat(127)}x`, `${"😀".repeat(63)}abc`]) {
      fs.writeFileSync(`${root}/${name}`, name);
      assert.equal(fs.readFileSync(`${root}/${name}`, "utf8"), name);
    }
    for (const name of ["n".repeat(NAME_BYTES + 1), "é".repeat(128), "😀".repeat(64)]) {
      assert.equal(
        outcomeOf(() => fs.writeFileSync(`${root}/${name}`, "")),
        "ENAMETOOLONG",
      );
      assert.equal(
        outcomeOf(() => fs.statSync(`${root}/${name}`)),
        "ENAMETOOLONG",
      );
    }
  });

  it("measures paths in bytes, too", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "");
    const path = (nrBytes: number): string => {
      const fill = nrBytes - root.length - 2;
      return `${root}${fill % 2 ? "/" : ""}${"/.".repeat(fill >> 1)}/f`;
    };
    assert.equal(Buffer.byteLength(path(PATH_BYTES)), PATH_BYTES);
    assert(fs.statSync(path(PATH_BYTES)).isFile());
    assert.equal(
      outcomeOf(() => fs.statSync(path(PATH_BYTES + 1))),
      "ENAMETOOLONG",
    );
  });

  it("keeps names of any bytes but NUL and slash", () => {
    const { fs, root } = create();
    const names = [
      Buffer.from([0xff]),
      Buffer.from([0xc3, 0x28]),
      Buffer.from([1, 2, 10, 127, 128]),
      Buffer.from("a\\b"),
    ];
    for (const name of names) fs.writeFileSync(Buffer.concat([Buffer.from(`${root}/`), name]), name);
    const found = fs.readdirSync(root, { encoding: "buffer" });
    assert.deepEqual(found, [...names].sort(Buffer.compare));
    for (const name of found) {
      assert(fs.readFileSync(Buffer.concat([Buffer.from(`${root}/`), name])).equals(name));
    }
  });

  it("takes backslashes, dots and spaces for letters", () => {
    const { fs, root } = create();
    const names = ["a\\b", "...", "..a", " ", "a.", "-", "~", "*", "CON", "a:b"];
    for (const name of names) fs.writeFileSync(`${root}/${name}`, "");
    assert.deepEqual(fs.readdirSync(root), [...names].sort());
  });

  it("tells names apart by their bytes, not by their letters", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/\u00e9`, "composed");
    fs.writeFileSync(`${root}/e\u0301`, "decomposed");
    fs.writeFileSync(`${root}/E\u0301`, "capital");
    assert.equal(fs.readdirSync(root).length, 3);
  });

  it("changes atime of the link by reading it", () => {
    const { fs, root } = create();
    fs.symlinkSync("x", `${root}/l`);
    assert.equal(
      timesChangedBy(fs, `${root}/l`, () => fs.readlinkSync(`${root}/l`)),
      "atime",
    );
  });
}
