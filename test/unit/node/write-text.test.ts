/** Texts written where they stay: the same bytes as Node's writeFile gives on the kernel's tmpfs. */
import { strict as assert } from "node:assert";
import hostFs, { mkdtempSync, rmSync } from "node:fs";
import fc from "fast-check";
import { afterAll, describe, it } from "vitest";
import { createFsSync, type FolioFs } from "../../../src/index.ts";

const host = mkdtempSync("/dev/shm/write-text-");
afterAll(() => rmSync(host, { recursive: true }));

/** One to four bytes a character, and halves of pairs. */
const piece = fc.constantFrom(
  "a",
  "plain ",
  "é",
  "€",
  "𐍈",
  "\ud800",
  "\udc00",
  "\0",
  "x".repeat(4093),
  "é".repeat(2050),
);
const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));

type Write = (fs: typeof hostFs, path: string, text: string) => void;

const WRITES: Record<string, Write> = {
  over: (fs, path, content) => fs.writeFileSync(path, content),
  inPlace: (fs, path, content) => fs.writeFileSync(path, content, { flag: "r+" }),
  append: (fs, path, content) => fs.appendFileSync(path, content),
  atEnd: (fs, path, content) => writeByFd(fs, path, "a", content),
  behindStart: (fs, path, content) => writeByFd(fs, path, "r+", content),
};

/** From the position that a write before has left. */
function writeByFd(fs: typeof hostFs, path: string, flags: string, content: string): void {
  const fd = fs.openSync(path, flags);
  fs.writeSync(fd, "seven..");
  fs.writeFileSync(fd, content, "utf8");
  fs.closeSync(fd);
}

describe("writing text", () => {
  it("gives the bytes that Node gives", () => {
    const fs = createFsSync({ memoryLimit: 32 * 2 ** 20 });
    const both: [typeof hostFs, string][] = [
      [fs as unknown as typeof hostFs, "/file"],
      [hostFs, `${host}/file`],
    ];
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...Object.keys(WRITES)), text), { minLength: 1 }), (steps) => {
        for (const [on, path] of both) {
          on.writeFileSync(path, "what was there before");
          for (const [name, content] of steps) WRITES[name](on, path, content);
        }
        const [ours, theirs] = both.map(([on, path]) => on.readFileSync(path));
        assert.ok(ours.equals(theirs), `${ours.length} bytes, Node gives ${theirs.length}`);
      }),
      { numRuns: 200 },
    );
    assert.equal((fs as FolioFs).statSync("/file").blocks, hostFs.statSync(`${host}/file`).blocks);
    verify(fs);
  });

  it("says so when memory runs out, and keeps what fitted", () => {
    const fs = createFsSync({ memoryLimit: 8 * 2 ** 20 });
    for (const content of ["a", "é"]) {
      const long = content.repeat(2 ** 19);
      assert.throws(
        () => {
          for (let i = 0; i < 40; i++) fs.appendFileSync(`/${content}`, long);
        },
        { code: "ENOSPC", syscall: "write" },
      );
      const kept = fs.readFileSync(`/${content}`);
      assert.ok(kept.equals(Buffer.alloc(kept.length, content)));
      verify(fs);
      fs.unlinkSync(`/${content}`);
    }
  });
});

function verify(fs: FolioFs): void {
  fs.kernel.vfs.core.x.verify?.();
}
