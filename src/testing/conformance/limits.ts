/** The largest file, and writes that come up against it. */
import assert from "node:assert/strict";
import type { Subject } from "./subject.ts";
import { type Create, type It, kernelOf, outcomeOf, PAGE, readAt, withOpen } from "./suite.ts";

const REASON = "the largest file of tmpfs ends past what an offset can say, so nothing can run up against it";

/** Takes all memory there is. */
function fillUp({ fs, root }: Pick<Subject, "fs" | "root">, chunk: Uint8Array): string {
  for (let i = 0; i < 100; i++) fs.writeFileSync(`${root}/big-${i}`, chunk);
  return "never full";
}

export function limitSuite(create: Create, it: It): void {
  it("refuses writes at the limit, and cuts those that cross it", (context) => {
    const subject = create();
    kernelOf(subject, context, REASON);
    const { fs, maxFileBytes, root } = subject;
    const limit = Number(maxFileBytes);
    withOpen(fs, `${root}/f`, "w+", (fd) => {
      assert.equal(fs.writeSync(fd, "abcd", limit - 2), 2);
      assert.equal(fs.fstatSync(fd).size, limit);
      assert.equal(readAt(fs, fd, 9, limit - 3).toString("latin1"), "\0ab");
      assert.equal(
        outcomeOf(() => fs.writeSync(fd, "x", limit)),
        "EFBIG",
      );
      assert.equal(
        outcomeOf(() => fs.writeSync(fd, "x", limit + PAGE)),
        "EFBIG",
      );
      assert.equal(fs.writeSync(fd, Buffer.alloc(0), 0, 0, limit), 0);
    });
  });

  it("refuses to make a file longer than the limit, or to append to one that is full", (context) => {
    const subject = create();
    kernelOf(subject, context, REASON);
    const { fs, maxFileBytes, root } = subject;
    const limit = Number(maxFileBytes);
    fs.writeFileSync(`${root}/f`, "");
    assert.equal(
      outcomeOf(() => fs.truncateSync(`${root}/f`, limit + 1)),
      "EFBIG",
    );
    fs.truncateSync(`${root}/f`, limit);
    assert.equal(
      outcomeOf(() => fs.appendFileSync(`${root}/f`, "x")),
      "EFBIG",
    );
    assert.equal(fs.statSync(`${root}/f`).size, limit);
    assert.equal(fs.statSync(`${root}/f`).blocks, 0);
  });

  it("holds the file size limit of a task (RLIMIT_FSIZE) in writes and truncates, and in nothing else", (context) => {
    const subject = create();
    const kernel = kernelOf(subject, context, "node:fs cannot set RLIMIT_FSIZE");
    const { fs, root } = subject;
    const limited = kernel.task({ uid: 0, gid: 0, fileSizeLimit: PAGE + 10 });
    fs.writeFileSync(`${root}/long`, Buffer.alloc(3 * PAGE, 1));
    withOpen(limited, `${root}/f`, "w+", (fd) => {
      assert.equal(limited.writeSync(fd, Buffer.alloc(2 * PAGE)), PAGE + 10);
      assert.equal(
        outcomeOf(() => limited.writeSync(fd, "x")),
        "EFBIG",
      );
      assert.equal(
        outcomeOf(() => limited.ftruncateSync(fd, PAGE + 11)),
        "EFBIG",
      );
      limited.ftruncateSync(fd, PAGE + 10);
    });
    assert.equal(limited.readFileSync(`${root}/long`).length, 3 * PAGE);
    limited.truncateSync(`${root}/long`, 5);
    fs.writeFileSync(`${root}/f`, Buffer.alloc(3 * PAGE));
  });

  it("gives ENOSPC when memory runs out, keeps what was there, and works on once there is room", (context) => {
    const subject = create();
    kernelOf(subject, context, "the host's memory is not this test's alone");
    const { fs, root } = subject;
    fs.writeFileSync(`${root}/kept`, "kept");
    const chunk = Buffer.alloc(8 << 20, 7);
    assert.equal(
      outcomeOf(() => fillUp(subject, chunk)),
      "ENOSPC",
    );
    assert.equal(fs.readFileSync(`${root}/kept`, "utf8"), "kept");
    for (const name of fs.readdirSync(root)) if (name.startsWith("big-")) fs.unlinkSync(`${root}/${name}`);
    fs.writeFileSync(`${root}/again`, chunk);
    assert(fs.readFileSync(`${root}/again`).equals(chunk));
  });
}
