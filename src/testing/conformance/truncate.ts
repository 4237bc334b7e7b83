/** truncate(2) and ftruncate(2). */
import assert from "node:assert/strict";
import { type Create, type It, kernelOf, outcomeOf, PAGE, pattern, readAt, timesChangedBy, withOpen } from "./suite.ts";

const SIZES = [0, 1, 100, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 5 * PAGE + 3];

export function truncateSuite(create: Create, it: It): void {
  it("cuts and lengthens from every size to every other, with zeros for what is new", () => {
    const { fs, root } = create();
    for (const from of SIZES) {
      for (const to of SIZES) {
        const bytes = pattern(from);
        fs.writeFileSync(`${root}/f`, bytes);
        fs.truncateSync(`${root}/f`, to);
        const expected = Buffer.concat([bytes, Buffer.alloc(Math.max(0, to - from))]).subarray(0, to);
        assert(fs.readFileSync(`${root}/f`).equals(expected), `${from} to ${to}`);
      }
    }
  });

  it("brings back no byte that it cut off", () => {
    const { fs, root } = create();
    for (const cut of SIZES) {
      const bytes = pattern(6 * PAGE);
      fs.writeFileSync(`${root}/f`, bytes);
      fs.truncateSync(`${root}/f`, cut);
      fs.truncateSync(`${root}/f`, 6 * PAGE);
      assert(fs.readFileSync(`${root}/f`).equals(bytes.fill(0, cut)), `cut at ${cut}`);
    }
  });

  it("brings back no byte by a write past the end, either", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, pattern(PAGE));
    withOpen(fs, `${root}/f`, "r+", (fd) => {
      fs.ftruncateSync(fd, 10);
      fs.writeSync(fd, "x", 50);
      assert(readAt(fs, fd, 40, 10).equals(Buffer.alloc(40)));
    });
  });

  it("gives the pages back", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, pattern(10 * PAGE));
    fs.truncateSync(`${root}/f`, 2 * PAGE + 1);
    assert.equal(fs.statSync(`${root}/f`).blocks, 24);
    fs.truncateSync(`${root}/f`, 0);
    assert.equal(fs.statSync(`${root}/f`).blocks, 0);
  });

  it("makes 1 GiB of hole, which costs no blocks", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "x");
    fs.truncateSync(`${root}/f`, 2 ** 30);
    const stats = fs.statSync(`${root}/f`);
    assert.equal(stats.size, 2 ** 30);
    assert.equal(stats.blocks, 8);
    withOpen(fs, `${root}/f`, "r", (fd) =>
      assert.equal(readAt(fs, fd, 10, 2 ** 30 - 4).toString("latin1"), "\0\0\0\0"),
    );
  });

  it("takes no memory for 1 GiB of hole", (context) => {
    const subject = create();
    const kernel = kernelOf(subject, context, "the host's memory is not this test's alone");
    const { fs, root } = subject;
    fs.writeFileSync(`${root}/f`, "");
    const before = kernel.vmstat().nr_file_pages;
    fs.truncateSync(`${root}/f`, 2 ** 30);
    assert.equal(kernel.vmstat().nr_file_pages, before);
  });

  it("leaves the position alone", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "0123456789");
    withOpen(fs, `${root}/f`, "r+", (fd) => {
      fs.readSync(fd, Buffer.alloc(8));
      fs.ftruncateSync(fd, 4);
      assert.equal(fs.readSync(fd, Buffer.alloc(8)), 0);
      fs.writeSync(fd, "x");
      assert.equal(fs.readFileSync(`${root}/f`, "latin1"), "0123\0\0\0\0x");
    });
  });

  it("follows symlinks, and refuses what is no regular file", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "0123");
    fs.symlinkSync("f", `${root}/l`);
    fs.truncateSync(`${root}/l`, 2);
    assert.equal(fs.readFileSync(`${root}/f`, "utf8"), "01");
    assert.equal(
      outcomeOf(() => fs.truncateSync(root, 0)),
      "EISDIR",
    );
    assert.equal(
      outcomeOf(() => fs.truncateSync(`${root}/missing`, 0)),
      "ENOENT",
    );
    assert.equal(
      outcomeOf(() => fs.truncateSync(`${root}/f/x`, 0)),
      "ENOTDIR",
    );
  });

  it("needs a descriptor that may write", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "0123");
    withOpen(fs, `${root}/f`, "r", (fd) =>
      assert.equal(
        outcomeOf(() => fs.ftruncateSync(fd, 1)),
        "EINVAL",
      ),
    );
    withOpen(fs, `${root}/f`, "a", (fd) => fs.ftruncateSync(fd, 1));
    assert.equal(fs.readFileSync(`${root}/f`, "utf8"), "0");
  });

  it("changes mtime and ctime, to whatever size", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "0123");
    withOpen(fs, `${root}/f`, "r+", (fd) => {
      for (const size of [2, 9, 9]) {
        assert.equal(
          timesChangedBy(fs, `${root}/f`, () => fs.ftruncateSync(fd, size)),
          "mtime ctime",
        );
      }
    });
  });
}
