/** How streams over files end: by failures of the calls below them, and when they are closed again. */
import { strict as assert } from "node:assert";
import { once } from "node:events";
import { describe, it } from "vitest";
import { createFsSync } from "../../../src/index.ts";

function machine() {
  const fs = createFsSync();
  fs.mkdirSync("/d");
  fs.writeFileSync("/f", "text");
  return fs;
}

describe("a read stream", () => {
  it("that does not close itself tells of a failure, and stays", async () => {
    const stream = machine().createReadStream("/d", { autoClose: false });
    assert.equal((stream as unknown as { autoClose: boolean }).autoClose, false);
    const failed = once(stream, "error");
    stream.resume();
    assert.equal((await failed)[0].code, "EISDIR");
    assert.deepEqual(
      [stream.destroyed, stream.errored?.message.slice(0, 6), typeof (stream as never as { fd: number }).fd],
      [false, "EISDIR", "number"],
    );
    stream.destroy();
  });

  it("closes itself when that is said later", async () => {
    const fs = machine();
    const stream = fs.createReadStream("/f", { autoClose: false });
    Object.assign(stream, { autoClose: true });
    stream.resume();
    await once(stream, "close");
    assert.equal((stream as never as { fd: null }).fd, null);
  });

  it("of a handle fails as its reads do", async () => {
    const handle = await machine().promises.open("/d");
    const stream = handle.createReadStream();
    stream.resume();
    assert.equal((await once(stream, "error"))[0].code, "EISDIR");
  });
});

it("a web stream of a handle fails as its reads do, and lets the handle be closed", async () => {
  const handle = await machine().promises.open("/d");
  const reader = handle.readableWebStream().getReader();
  await assert.rejects(reader.read(), { code: "EISDIR" });
  await handle.close();
  assert.equal(handle.fd, -1);
});

describe("a write stream", () => {
  it("calls back when it is closed once more", async () => {
    const stream = machine().createWriteStream("/g");
    await new Promise((resolve) => stream.close(resolve));
    assert.equal(stream.closed, true);
    assert.equal(await new Promise((resolve) => stream.close(resolve)), undefined);
  });

  it("gives up when writes of a program's own bring nothing again and again", async () => {
    const fs = machine();
    let nr = 0;
    const write = (...args: unknown[]): void => {
      nr++;
      setImmediate(args.at(-1) as (error: null, bytes: number) => void, null, 0);
    };
    const stream = fs.createWriteStream("/g", { fs: { open: fs.open, close: fs.close, write } } as never);
    stream.write("text");
    const [error] = await once(stream, "error");
    assert.deepEqual([error.code, error.name], ["ERR_SYSTEM_ERROR", "SystemError"]);
    assert.ok(nr > 1 && nr < 100, `${nr} writes`);
  });
});
