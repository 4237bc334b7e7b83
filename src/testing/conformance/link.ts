/** link(2) and unlink(2): names, link counts and what they free. */
import assert from "node:assert/strict";
import { S_IFIFO } from "../../base/stat-flags.ts";
import { type Create, type It, kernelOf, outcomeOf, pattern, timesChangedBy, withOpen } from "./suite.ts";

export function linkSuite(create: Create, it: It): void {
  it("gives a file another name, and counts them", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/a`, "x");
    fs.linkSync(`${root}/a`, `${root}/b`);
    assert.equal(fs.statSync(`${root}/a`).nlink, 2);
    assert.equal(fs.statSync(`${root}/a`).ino, fs.statSync(`${root}/b`).ino);
    fs.unlinkSync(`${root}/a`);
    assert.equal(fs.statSync(`${root}/b`).nlink, 1);
    assert.equal(fs.readFileSync(`${root}/b`, "utf8"), "x");
  });

  it("never replaces", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/a`, "a");
    fs.writeFileSync(`${root}/b`, "b");
    fs.mkdirSync(`${root}/d`);
    fs.symlinkSync("nowhere", `${root}/l`);
    for (const name of ["a", "b", "d", "l"]) {
      assert.equal(
        outcomeOf(() => fs.linkSync(`${root}/a`, `${root}/${name}`)),
        "EEXIST",
        name,
      );
    }
    assert.equal(fs.readFileSync(`${root}/b`, "utf8"), "b");
  });

  it("refuses directories, and links symlinks themselves", () => {
    const { fs, root } = create();
    fs.mkdirSync(`${root}/d`);
    fs.symlinkSync("nowhere", `${root}/l`);
    assert.equal(
      outcomeOf(() => fs.linkSync(`${root}/d`, `${root}/x`)),
      "EPERM",
    );
    fs.linkSync(`${root}/l`, `${root}/l2`);
    assert.equal(fs.readlinkSync(`${root}/l2`), "nowhere");
    assert.equal(fs.lstatSync(`${root}/l`).nlink, 2);
  });

  it("links fifos and the like", () => {
    const { fs, root } = create();
    fs.mknodSync(`${root}/p`, S_IFIFO | 0o600, 0);
    fs.linkSync(`${root}/p`, `${root}/q`);
    assert.equal(fs.lstatSync(`${root}/q`).nlink, 2);
    assert(fs.lstatSync(`${root}/q`).isFIFO());
  });

  it("refuses a trailing slash on either side", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/a`, "");
    assert.equal(
      outcomeOf(() => fs.linkSync(`${root}/a/`, `${root}/b`)),
      "ENOTDIR",
    );
    assert.equal(
      outcomeOf(() => fs.linkSync(`${root}/a`, `${root}/b/`)),
      "ENOENT",
    );
  });

  it("unlinks no directory, and symlinks without following them", () => {
    const { fs, root } = create();
    fs.mkdirSync(`${root}/d`);
    fs.writeFileSync(`${root}/f`, "");
    fs.symlinkSync("d", `${root}/to-d`);
    fs.symlinkSync("f", `${root}/to-f`);
    assert.equal(
      outcomeOf(() => fs.unlinkSync(`${root}/d`)),
      "EISDIR",
    );
    assert.equal(
      outcomeOf(() => fs.unlinkSync(`${root}/f/`)),
      "ENOTDIR",
    );
    assert.equal(
      outcomeOf(() => fs.unlinkSync(`${root}/to-d/`)),
      "ENOTDIR",
    );
    fs.unlinkSync(`${root}/to-d`);
    fs.unlinkSync(`${root}/to-f`);
    assert.deepEqual(fs.readdirSync(root), ["d", "f"]);
  });

  it("keeps a file that is open until its last descriptor is closed", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, pattern(10_000));
    withOpen(fs, `${root}/f`, "r+", (one) =>
      withOpen(fs, `${root}/f`, "r", (two) => {
        fs.unlinkSync(`${root}/f`);
        assert.equal(fs.fstatSync(one).nlink, 0);
        fs.ftruncateSync(one, 20_000);
        fs.writeSync(one, "more", 19_000);
        assert.equal(fs.readFileSync(two).length, 20_000);
        assert.equal(
          outcomeOf(() => fs.openSync(`${root}/f`, "r")),
          "ENOENT",
        );
      }),
    );
  });

  it("frees data, inodes and names with the last link and the last descriptor", (context) => {
    const subject = create();
    const kernel = kernelOf(subject, context, "the host's memory is not this test's alone");
    const { fs, root } = subject;
    const count = (): number[] => {
      const { nr_file_pages, nr_inodes, nr_dentries, nr_index_nodes, nr_files } = kernel.vmstat();
      return [nr_file_pages, nr_inodes, nr_dentries, nr_index_nodes, nr_files];
    };
    const before = count();
    fs.writeFileSync(`${root}/f`, pattern(1 << 20));
    fs.linkSync(`${root}/f`, `${root}/g`);
    const held = count();
    const fd = fs.openSync(`${root}/f`, "r");
    fs.unlinkSync(`${root}/f`);
    fs.unlinkSync(`${root}/g`);
    assert.equal(count()[0], held[0]);
    fs.closeSync(fd);
    assert.deepEqual(count(), before);
  });

  it("frees whole trees by rm -r", (context) => {
    const subject = create();
    const kernel = kernelOf(subject, context, "the host's memory is not this test's alone");
    const { fs, root } = subject;
    const count = (): number[] => {
      const { nr_file_pages, nr_inodes, nr_dentries } = kernel.vmstat();
      return [nr_file_pages, nr_inodes, nr_dentries];
    };
    const before = count();
    for (let i = 0; i < 10; i++) {
      fs.mkdirSync(`${root}/t/${i}/sub`, { recursive: true });
      for (let k = 0; k < 20; k++) fs.writeFileSync(`${root}/t/${i}/sub/${k}`, pattern(5000));
      fs.symlinkSync("x".repeat(300), `${root}/t/${i}/link`);
    }
    fs.rmSync(`${root}/t`, { recursive: true });
    assert.deepEqual(count(), before);
  });

  it("changes ctime of the file, and mtime and ctime of the directory", () => {
    const { fs, root } = create();
    fs.mkdirSync(`${root}/d`);
    fs.writeFileSync(`${root}/d/f`, "");
    const changed = (path: string, call: () => unknown): string => timesChangedBy(fs, path, call);
    assert.equal(
      changed(`${root}/d/f`, () => fs.linkSync(`${root}/d/f`, `${root}/d/g`)),
      "ctime",
    );
    assert.equal(
      changed(`${root}/d`, () => fs.linkSync(`${root}/d/f`, `${root}/d/h`)),
      "mtime ctime",
    );
    assert.equal(
      changed(`${root}/d/f`, () => fs.unlinkSync(`${root}/d/g`)),
      "ctime",
    );
    assert.equal(
      changed(`${root}/d`, () => fs.unlinkSync(`${root}/d/h`)),
      "mtime ctime",
    );
  });
}
