/** lseek(2) and fallocate(2): positions, data and holes. The oracle makes both through perl: node:fs has neither. */
import assert from "node:assert/strict";
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  SEEK_CUR,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
  SEEK_SET,
} from "../../base/stat-flags.ts";
import type { SubjectFs } from "./subject.ts";
import { type Create, type It, kernelOf, outcomeOf, PAGE, pattern, readAt, withOpen } from "./suite.ts";

/** Data in pages 1 and 3 of a file of 5 pages and a byte. */
function sparseFile(fs: SubjectFs, path: string): void {
  withOpen(fs, path, "w", (fd) => {
    fs.writeSync(fd, "data", PAGE + 10);
    fs.writeSync(fd, "data", 3 * PAGE);
    fs.ftruncateSync(fd, 5 * PAGE + 1);
  });
}

export function lseekSuite(create: Create, it: It): void {
  it("moves from the start, from here and from the end", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "0123456789");
    withOpen(fs, `${root}/f`, "r", (fd) => {
      assert.equal(fs.lseekSync(fd, 4, SEEK_SET), 4);
      assert.equal(fs.readSync(fd, Buffer.alloc(2)), 2);
      assert.equal(fs.lseekSync(fd, 1, SEEK_CUR), 7);
      assert.equal(fs.lseekSync(fd, -3, SEEK_END), 7);
      assert.equal(fs.readFileSync(fd, "utf8"), "789");
    });
  });

  it("goes past the end, where only a write makes the file longer", () => {
    const { fs, root } = create();
    withOpen(fs, `${root}/f`, "w+", (fd) => {
      assert.equal(fs.lseekSync(fd, 100, SEEK_SET), 100);
      assert.equal(fs.readSync(fd, Buffer.alloc(1)), 0);
      assert.equal(fs.fstatSync(fd).size, 0);
      fs.writeSync(fd, "x");
      assert.equal(fs.fstatSync(fd).size, 101);
    });
  });

  it("refuses positions before the start and ways that are none", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "abc");
    withOpen(fs, `${root}/f`, "r", (fd) => {
      for (const [offset, whence] of [
        [-1, SEEK_SET],
        [-1, SEEK_CUR],
        [-4, SEEK_END],
        [0, 9],
      ]) {
        assert.equal(
          outcomeOf(() => fs.lseekSync(fd, offset, whence)),
          "EINVAL",
        );
      }
    });
    assert.equal(
      outcomeOf(() => fs.lseekSync(999, 0, SEEK_SET)),
      "EBADF",
    );
  });

  it("finds data and holes by pages, and a hole at the end of every file", () => {
    const { fs, root } = create();
    sparseFile(fs, `${root}/f`);
    withOpen(fs, `${root}/f`, "r", (fd) => {
      const size = 5 * PAGE + 1;
      assert.equal(fs.lseekSync(fd, 0, SEEK_DATA), PAGE);
      assert.equal(fs.lseekSync(fd, PAGE + 5, SEEK_DATA), PAGE + 5);
      assert.equal(fs.lseekSync(fd, 2 * PAGE, SEEK_DATA), 3 * PAGE);
      assert.equal(
        outcomeOf(() => fs.lseekSync(fd, 4 * PAGE, SEEK_DATA)),
        "ENXIO",
      );
      assert.equal(fs.lseekSync(fd, 0, SEEK_HOLE), 0);
      assert.equal(fs.lseekSync(fd, PAGE, SEEK_HOLE), 2 * PAGE);
      assert.equal(fs.lseekSync(fd, 3 * PAGE + 1, SEEK_HOLE), 4 * PAGE);
      assert.equal(fs.lseekSync(fd, size - 1, SEEK_HOLE), size - 1);
      assert.equal(
        outcomeOf(() => fs.lseekSync(fd, size, SEEK_HOLE)),
        "ENXIO",
      );
      assert.equal(
        outcomeOf(() => fs.lseekSync(fd, size, SEEK_DATA)),
        "ENXIO",
      );
    });
  });

  it("gives the size as the first hole of a file that is full", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, pattern(PAGE + 100));
    withOpen(fs, `${root}/f`, "r", (fd) => {
      assert.equal(fs.lseekSync(fd, 0, SEEK_DATA), 0);
      assert.equal(fs.lseekSync(fd, 0, SEEK_HOLE), PAGE + 100);
    });
    fs.writeFileSync(`${root}/empty`, "");
    withOpen(fs, `${root}/empty`, "r", (fd) => {
      assert.equal(
        outcomeOf(() => fs.lseekSync(fd, 0, SEEK_DATA)),
        "ENXIO",
      );
    });
  });

  it("reads holes as zeros, and makes no data of them by reading", () => {
    const { fs, root } = create();
    sparseFile(fs, `${root}/f`);
    withOpen(fs, `${root}/f`, "r", (fd) => {
      assert(readAt(fs, fd, PAGE, 2 * PAGE).equals(Buffer.alloc(PAGE)));
      assert.equal(fs.fstatSync(fd).blocks, 16);
      assert.equal(fs.lseekSync(fd, 2 * PAGE, SEEK_DATA), 3 * PAGE);
    });
  });

  it("punches holes: whole pages go, parts of pages become zero, the size stays", () => {
    const { fs, root } = create();
    const bytes = pattern(6 * PAGE);
    fs.writeFileSync(`${root}/f`, bytes);
    withOpen(fs, `${root}/f`, "r+", (fd) => {
      fs.fallocateSync(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE + 100, 3 * PAGE);
      bytes.fill(0, PAGE + 100, 4 * PAGE + 100);
      assert(fs.readFileSync(`${root}/f`).equals(bytes));
      assert.equal(fs.fstatSync(fd).blocks, 4 * 8);
      assert.equal(fs.lseekSync(fd, 2 * PAGE, SEEK_DATA), 4 * PAGE);
      fs.fallocateSync(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 100 * PAGE);
      assert.equal(fs.fstatSync(fd).blocks, 0);
      assert.equal(fs.fstatSync(fd).size, 6 * PAGE);
    });
  });

  it("allocates: pages that read as zero, and a size that grows unless it is to be kept", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "start");
    withOpen(fs, `${root}/f`, "r+", (fd) => {
      fs.fallocateSync(fd, FALLOC_FL_KEEP_SIZE, 0, 3 * PAGE);
      assert.equal(fs.fstatSync(fd).size, 5);
      assert.equal(fs.fstatSync(fd).blocks, 24);
      fs.fallocateSync(fd, 0, PAGE, 3 * PAGE);
      assert.equal(fs.fstatSync(fd).size, 4 * PAGE);
      assert.equal(fs.fstatSync(fd).blocks, 32);
      assert(fs.readFileSync(`${root}/f`).equals(Buffer.concat([Buffer.from("start"), Buffer.alloc(4 * PAGE - 5)])));
    });
  });

  it("refuses ranges and modes that make no sense", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "x");
    withOpen(fs, `${root}/f`, "r+", (fd) => {
      assert.equal(
        outcomeOf(() => fs.fallocateSync(fd, 0, 0, 0)),
        "EINVAL",
      );
      assert.equal(
        outcomeOf(() => fs.fallocateSync(fd, 0, -1, 5)),
        "EINVAL",
      );
      assert.equal(
        outcomeOf(() => fs.fallocateSync(fd, FALLOC_FL_PUNCH_HOLE, 0, 5)),
        "ENOTSUP",
      );
    });
    withOpen(fs, `${root}/f`, "r", (fd) => {
      assert.equal(
        outcomeOf(() => fs.fallocateSync(fd, 0, 0, 5)),
        "EBADF",
      );
    });
  });

  it("zeroes a range", (context) => {
    const subject = create();
    kernelOf(subject, context, "tmpfs has no FALLOC_FL_ZERO_RANGE");
    const { fs, root } = subject;
    const bytes = pattern(3 * PAGE);
    fs.writeFileSync(`${root}/f`, bytes);
    withOpen(fs, `${root}/f`, "r+", (fd) => {
      fs.fallocateSync(fd, FALLOC_FL_ZERO_RANGE, 100, 2 * PAGE);
      bytes.fill(0, 100, 100 + 2 * PAGE);
      assert(fs.readFileSync(`${root}/f`).equals(bytes));
      fs.fallocateSync(fd, FALLOC_FL_ZERO_RANGE, 2 * PAGE, 2 * PAGE);
      assert.equal(fs.fstatSync(fd).size, 4 * PAGE);
    });
  });

  it("copies between files, at their positions", () => {
    const { fs, root } = create();
    const bytes = pattern(3 * PAGE);
    fs.writeFileSync(`${root}/from`, bytes);
    withOpen(fs, `${root}/from`, "r", (from) =>
      withOpen(fs, `${root}/to`, "w+", (to) => {
        fs.lseekSync(from, 10, SEEK_SET);
        assert.equal(fs.copyFileRangeSync(from, null, to, null, 2 * PAGE), 2 * PAGE);
        assert.equal(fs.lseekSync(from, 0, SEEK_CUR), 10 + 2 * PAGE);
        assert.equal(fs.lseekSync(to, 0, SEEK_CUR), 2 * PAGE);
        assert(fs.readFileSync(`${root}/to`).equals(bytes.subarray(10, 10 + 2 * PAGE)));
        assert.equal(fs.copyFileRangeSync(from, null, to, null, 9 * PAGE), PAGE - 10);
        assert.equal(fs.copyFileRangeSync(from, null, to, null, 1), 0);
      }),
    );
  });
}
