/** read(2), write(2) and their positioned and vectored kin. */
import assert from "node:assert/strict";
import { type Create, type It, outcomeOf, PAGE, pattern, readAt, withOpen } from "./suite.ts";

/** Lengths and positions around the edges of pages. */
const EDGES = [0, 1, 7, 8, 4095, 4096, 4097, 8191, 8192, 8193, 12_288];

export function readWriteSuite(create: Create, it: It): void {
  it("reads short at the end of the file, and nothing past it", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "12345");
    withOpen(fs, `${root}/f`, "r", (fd) => {
      assert.equal(readAt(fs, fd, 10, 3).toString(), "45");
      assert.equal(readAt(fs, fd, 10, 5).length, 0);
      assert.equal(readAt(fs, fd, 10, 2 ** 40).length, 0);
    });
  });

  it("touches no byte of the buffer beyond what it read", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "12345");
    withOpen(fs, `${root}/f`, "r", (fd) => {
      const buffer = Buffer.alloc(12, "-");
      assert.equal(fs.readSync(fd, buffer, 2, 8, 0), 5);
      assert.equal(buffer.toString(), "--12345-----");
    });
  });

  it("moves the position by what was read or written, and not at all by positioned calls", () => {
    const { fs, root } = create();
    withOpen(fs, `${root}/f`, "w+", (fd) => {
      assert.equal(fs.writeSync(fd, "0123456789"), 10);
      assert.equal(fs.writeSync(fd, "AB", 4), 2);
      assert.equal(fs.writeSync(fd, "end"), 3);
      assert.equal(readAt(fs, fd, 3, 0).toString(), "012");
      assert.equal(fs.readSync(fd, Buffer.alloc(5)), 0);
      assert.equal(fs.readFileSync(`${root}/f`, "utf8"), "0123AB6789end");
    });
  });

  it("fills the gap with zeros when it writes past the end", () => {
    const { fs, root } = create();
    for (const gap of EDGES) {
      fs.writeFileSync(`${root}/f`, "head");
      withOpen(fs, `${root}/f`, "r+", (fd) => fs.writeSync(fd, "tail", 4 + gap));
      assert.deepEqual(
        fs.readFileSync(`${root}/f`),
        Buffer.concat([Buffer.from("head"), Buffer.alloc(gap), Buffer.from("tail")]),
      );
    }
  });

  it("leaves no old bytes in what it does not write of a page", () => {
    const { fs, root } = create();
    // Frames that other data was in come back here: what is not written must still read as zero.
    fs.writeFileSync(`${root}/old`, pattern(64 * PAGE));
    fs.unlinkSync(`${root}/old`);
    withOpen(fs, `${root}/f`, "w+", (fd) => {
      for (let page = 0; page < 64; page++) fs.writeSync(fd, "x", page * PAGE + 100);
      for (let page = 0; page < 63; page++) {
        const bytes = readAt(fs, fd, PAGE, page * PAGE);
        assert.equal(bytes[100], 120);
        bytes[100] = 0;
        assert(bytes.equals(Buffer.alloc(PAGE)), `page ${page}`);
      }
    });
  });

  it("reads back what it wrote, whatever the edges of pages", () => {
    const { fs, root } = create();
    const model = pattern(5 * PAGE);
    fs.writeFileSync(`${root}/f`, model);
    withOpen(fs, `${root}/f`, "r+", (fd) => {
      for (const position of EDGES) {
        for (const length of EDGES.filter((edge) => position + edge <= model.length)) {
          const bytes = pattern(length, position + length);
          assert.equal(fs.writeSync(fd, bytes, 0, length, position), length);
          bytes.copy(model, position);
          assert.deepEqual(readAt(fs, fd, length, position), bytes);
        }
      }
      assert(fs.readFileSync(`${root}/f`).equals(model));
    });
  });

  it("takes large unaligned pieces whole", () => {
    const { fs, root } = create();
    const bytes = pattern(3 * 2 ** 20 + 17);
    withOpen(fs, `${root}/f`, "w+", (fd) => {
      assert.equal(fs.writeSync(fd, bytes, 5, bytes.length - 5, 1), bytes.length - 5);
      assert(readAt(fs, fd, bytes.length, 1).equals(bytes.subarray(5)));
    });
  });

  it("changes neither size nor mtime when it writes nothing", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/f`, "x");
    fs.utimesSync(`${root}/f`, 1e9, 1e9);
    withOpen(fs, `${root}/f`, "r+", (fd) => {
      assert.equal(fs.writeSync(fd, Buffer.alloc(0), 0, 0, 100), 0);
      assert.equal(fs.fstatSync(fd).size, 1);
      assert.equal(fs.fstatSync(fd).mtimeMs, 1e12);
    });
  });

  it("scatters and gathers in order", () => {
    const { fs, root } = create();
    withOpen(fs, `${root}/f`, "w+", (fd) => {
      const parts = ["ab", "", "cde", "f"].map((text) => Buffer.from(text));
      assert.equal(fs.writevSync(fd, parts, 2), 6);
      const into = [1, 3, 0, 10].map((length) => Buffer.alloc(length, "."));
      assert.equal(fs.readvSync(fd, into, 2), 6);
      assert.equal(Buffer.concat(into).toString(), "abcdef........");
      assert.equal(fs.readFileSync(`${root}/f`, "latin1"), "\0\0abcdef");
    });
  });

  it("scatters and gathers over many pages", () => {
    const { fs, root } = create();
    const parts = EDGES.map((length, i) => pattern(length, i));
    withOpen(fs, `${root}/f`, "w+", (fd) => {
      const whole = Buffer.concat(parts);
      assert.equal(fs.writevSync(fd, parts), whole.length);
      const into = [...parts].reverse().map(({ length }) => Buffer.alloc(length));
      assert.equal(fs.readvSync(fd, into, 0), whole.length);
      assert(Buffer.concat(into).equals(whole));
    });
  });

  it("shows every write at once through every descriptor", () => {
    const { fs, root } = create();
    withOpen(fs, `${root}/f`, "w+", (one) =>
      withOpen(fs, `${root}/f`, "r+", (two) => {
        for (let i = 0; i < 50; i++) {
          fs.writeSync(i % 2 ? one : two, String(i).padStart(3), i * 1000);
          assert.equal(readAt(fs, i % 2 ? two : one, 3, i * 1000).toString(), String(i).padStart(3));
        }
        fs.ftruncateSync(one, 5);
        assert.equal(fs.fstatSync(two).size, 5);
        assert.equal(readAt(fs, two, 100, 3).length, 2);
      }),
    );
  });

  it("shows writes by one name under the other", () => {
    const { fs, root } = create();
    fs.writeFileSync(`${root}/a`, "first");
    fs.linkSync(`${root}/a`, `${root}/b`);
    fs.appendFileSync(`${root}/b`, " second");
    assert.equal(fs.readFileSync(`${root}/a`, "utf8"), "first second");
  });

  it("loses nothing of two appending descriptors", () => {
    const { fs, root } = create();
    withOpen(fs, `${root}/f`, "a", (one) =>
      withOpen(fs, `${root}/f`, "a", (two) => {
        for (let i = 0; i < 500; i++) fs.writeSync(i % 2 ? one : two, `${i}\n`);
      }),
    );
    const lines = fs.readFileSync(`${root}/f`, "utf8").trimEnd().split("\n");
    assert.deepEqual(
      lines,
      Array.from({ length: 500 }, (_, i) => String(i)),
    );
  });

  it("loses nothing of appends that are under way at once", async () => {
    const { fs, root } = create();
    const handles = await Promise.all([1, 2, 3].map(() => fs.promises.open(`${root}/f`, "a")));
    await Promise.all(Array.from({ length: 90 }, (_, i) => handles[i % 3].write(`${String(i).padStart(4)}\n`)));
    await Promise.all(handles.map((handle) => handle.close()));
    const lines = fs.readFileSync(`${root}/f`, "utf8").trimEnd().split("\n");
    assert.deepEqual(
      lines.map(Number).sort((a, b) => a - b),
      Array.from({ length: 90 }, (_, i) => i),
    );
  });

  it("counts blocks of 512 bytes by pages in use", () => {
    const { fs, root } = create();
    withOpen(fs, `${root}/f`, "w", (fd) => {
      fs.writeSync(fd, "x", 0);
      assert.equal(fs.fstatSync(fd).blocks, 8);
      fs.writeSync(fd, "x", 10 * PAGE);
      assert.equal(fs.fstatSync(fd).blocks, 16);
      fs.writeSync(fd, pattern(PAGE), 0, PAGE, PAGE - 1);
      assert.equal(fs.fstatSync(fd).blocks, 24);
    });
  });

  it("holds a write at 5 GiB", () => {
    const { fs, root } = create();
    const position = 5 * 2 ** 30;
    withOpen(fs, `${root}/f`, "w+", (fd) => {
      fs.writeSync(fd, "far", position);
      assert.equal(fs.fstatSync(fd).size, position + 3);
      assert.equal(fs.fstatSync(fd).blocks, 8);
      assert.equal(readAt(fs, fd, 9, position - 2).toString("latin1"), "\0\0far");
      assert(readAt(fs, fd, PAGE, 2 ** 32).equals(Buffer.alloc(PAGE)));
    });
  });

  it("refuses descriptors that are not open", () => {
    const { fs } = create();
    assert.equal(
      outcomeOf(() => fs.readSync(999_999, Buffer.alloc(1))),
      "EBADF",
    );
    assert.equal(
      outcomeOf(() => fs.writeSync(999_999, "x")),
      "EBADF",
    );
    assert.equal(
      outcomeOf(() => fs.fstatSync(999_999)),
      "EBADF",
    );
  });
}
