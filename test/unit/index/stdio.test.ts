/** Standard descriptors: there by option, as in a process. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { createFsSync, restoreFsSync } from "../../../src/index.ts";
import { outcomeOf } from "../../helpers/subject.ts";

const SMALL = { memoryLimit: 16 * 2 ** 20 };

function captured() {
  const output: [string, string][] = [];
  const stdio = {
    stdout: (bytes: Uint8Array) => void output.push(["out", Buffer.from(bytes).toString()]),
    stderr: (bytes: Uint8Array) => void output.push(["err", Buffer.from(bytes).toString()]),
  };
  return { output, stdio };
}

describe("stdio", () => {
  it("is not there unless it is asked for", () => {
    const fs = createFsSync(SMALL);
    assert.deepEqual(
      [0, 1, 2].map((fd) => outcomeOf(() => fs.fstatSync(fd))),
      ["EBADF", "EBADF", "EBADF"],
    );
    assert.equal(fs.openSync("/f", "w"), 3);
  });

  it("sends what is written to functions, in all forms, and the next descriptor is 3", async () => {
    const { output, stdio } = captured();
    const fs = createFsSync({ ...SMALL, stdio });
    assert.equal(fs.writeSync(1, "a"), 1);
    fs.writeFileSync(2, "b");
    assert.equal(fs.writevSync(1, [Buffer.from("c"), Buffer.from("d")]), 2);
    await new Promise((resolve) => fs.write(1, "e", resolve));
    fs.appendFileSync(1, new Uint8Array([102]));
    assert.equal(output.map(([, text]) => text).join(""), "abcdef");
    assert.deepEqual(output[1], ["err", "b"]);
    assert.equal(fs.openSync("/f", "w"), 3);
  });

  it("reads what a function gives, until there is nothing", () => {
    const input = [Buffer.from("hello"), Buffer.from(" world")];
    const fs = createFsSync({ ...SMALL, stdio: { stdin: () => input.shift() } });
    assert.equal(fs.readFileSync(0, "utf8"), "hello world");
    assert.equal(fs.readSync(0, Buffer.alloc(5)), 0);
  });

  it("are character devices, open one way, without positions", () => {
    const fs = createFsSync({ ...SMALL, stdio: true });
    assert.deepEqual(
      [0, 1, 2].map((fd) => fs.fstatSync(fd).isCharacterDevice()),
      [true, true, true],
    );
    assert.equal(fs.fstatSync(0).nlink, 1);
    assert.equal(fs.readFileSync(0, "utf8"), "");
    assert.equal(fs.writeSync(1, "swallowed"), 9);
    const outcomes = [
      () => fs.readSync(1, Buffer.alloc(1)),
      () => fs.writeSync(0, "x"),
      () => fs.writeSync(1, "x", 5),
      () => fs.readSync(0, Buffer.alloc(1), 0, 1, 5),
      () => fs.lseekSync(1, 0, 0),
      () => fs.ftruncateSync(1, 0),
    ].map(outcomeOf);
    assert.deepEqual(outcomes, ["EBADF", "EBADF", "ESPIPE", "ESPIPE", "ESPIPE", "EINVAL"]);
  });

  it("are closed and their numbers given out again, as in a process", () => {
    const { output, stdio } = captured();
    const fs = createFsSync({ ...SMALL, stdio });
    fs.closeSync(1);
    assert.equal(
      outcomeOf(() => fs.writeSync(1, "x")),
      "EBADF",
    );
    assert.equal(fs.openSync("/log", "w"), 1);
    fs.writeSync(1, "to the file");
    assert.equal(fs.readFileSync("/log", "utf8"), "to the file");
    assert.deepEqual(output, []);
  });

  it("belong to tasks too, and go with them; shared tables share them", () => {
    const { output, stdio } = captured();
    const fs = createFsSync(SMALL);
    const before = fs.kernel.vmstat();
    const task = fs.kernel.task({ uid: 5, stdio });
    const thread = fs.kernel.task({ uid: 6, files: task });
    thread.writeSync(1, "shared");
    assert.deepEqual(output, [["out", "shared"]]);
    assert.throws(() => fs.kernel.task({ files: task, stdio: true }), { code: "ERR_INVALID_ARG_VALUE" });
    fs.kernel.exit(thread);
    fs.kernel.exit(task);
    const after = fs.kernel.vmstat();
    // The device file system's root stays.
    assert.deepEqual([after.nr_files, after.nr_inodes], [before.nr_files, before.nr_inodes + 1]);
  });

  it("are in no snapshot and no mount table", () => {
    const { stdio } = captured();
    const fs = createFsSync({ ...SMALL, stdio });
    assert.deepEqual(
      fs.kernel.mounts().map(({ target }) => target),
      ["/"],
    );
    const again = restoreFsSync(fs.kernel.snapshot());
    assert.equal(
      outcomeOf(() => again.fstatSync(1)),
      "EBADF",
    );
    assert.equal(restoreFsSync(fs.kernel.snapshot(), { stdio: true }).writeSync(1, "x"), 1);
  });

  it("pass on what a function throws", async () => {
    const fs = createFsSync({
      ...SMALL,
      stdio: {
        stdout: () => {
          throw new Error("broken pipe");
        },
      },
    });
    assert.throws(() => fs.writeSync(1, "x"), /broken pipe/);
    const error = await new Promise((resolve) => fs.write(1, "x", resolve));
    assert.match(String(error), /broken pipe/);
  });
});
