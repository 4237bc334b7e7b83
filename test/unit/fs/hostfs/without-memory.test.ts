/**
 * Reads and writes of a mount with cache=writeback where memory has no page for them: they go through to the host, and behind what was
 * written before.
 */
import { strict as assert } from "node:assert";
import nodeFs from "node:fs";
import { afterEach, beforeEach, describe, it } from "vitest";
import { createHostfsMount, type HostfsMount } from "../../../helpers/hostfs-mount.ts";

const PAGE = 4096;
const MIB = 2 ** 20;
const BEFORE = Buffer.alloc(8 * PAGE, "before");

let setup: HostfsMount;

beforeEach(() => {
  setup = createHostfsMount("/dev/shm", { memoryLimit: 16 * MIB });
  nodeFs.writeFileSync(`${setup.inside}/f`, BEFORE);
  setup.mount("cache=writeback,ttl=100000");
});

afterEach(() => {
  setup.fs.kernel.verify?.();
  setup.dispose();
});

/** Takes all memory there is, page by page in the end. @returns gives it back */
function fill(): () => void {
  const { fs } = setup;
  fs.mkdirSync("/fill");
  for (const size of [MIB, 16 * PAGE, PAGE]) {
    for (let i = 0, nrFailed = 0; nrFailed < 3; i++) {
      try {
        fs.writeFileSync(`/fill/${size}-${i}`, Buffer.alloc(size, 1));
      } catch (error) {
        assert.match((error as { code: string }).code, /^(ENOSPC|ENOMEM)$/);
        nrFailed++;
      }
    }
  }
  return () => fs.rmSync("/fill", { recursive: true });
}

/** The host's bytes, as others see them now. */
function onHost(): Buffer {
  return nodeFs.readFileSync(`${setup.inside}/f`);
}

function changed(...writes: readonly (readonly [at: number, text: string])[]): Buffer {
  const bytes = Buffer.from(BEFORE);
  for (const [at, text] of writes) bytes.write(text, at);
  return bytes;
}

describe("a write that memory has no page for", () => {
  it("is the host's at once, with what was written before; later ones go by pages again", () => {
    const { fs } = setup;
    const fd = fs.openSync("/mnt/f", "r+");
    const view = fs.readView(fd, 0, PAGE); // its page stays
    fs.writeSync(fd, "first", 10);
    assert.deepEqual(onHost(), BEFORE);
    const empty = fill();
    fs.writeSync(fd, "second", 3 * PAGE + 10);
    assert.deepEqual(onHost(), changed([10, "first"], [3 * PAGE + 10, "second"]));
    view.release();
    empty();
    const all = changed([10, "first"], [3 * PAGE + 10, "second"], [5 * PAGE, "third"]);
    fs.writeSync(fd, "third", 5 * PAGE);
    assert.deepEqual(fs.readFileSync("/mnt/f"), all);
    assert.notDeepEqual(onHost(), all);
    fs.fsyncSync(fd);
    assert.deepEqual(onHost(), all);
    fs.closeSync(fd);
  });

  it("waits for the host, as a promise", async () => {
    const { fs } = setup;
    const file = await fs.promises.open("/mnt/f", "r+");
    const view = fs.readView(file.fd, 0, PAGE);
    await file.write("first", 10);
    const empty = fill();
    await file.write("second", 3 * PAGE + 10);
    assert.deepEqual(onHost(), changed([10, "first"], [3 * PAGE + 10, "second"]));
    view.release();
    empty();
    await file.close();
    assert.deepEqual(fs.readFileSync("/mnt/f"), onHost());
  });
});

describe("a read that memory has no page for", () => {
  it.each<[string, number | null, string]>([
    ["at a position", 0, ""],
    ["at the file's own", null, ""],
    ["of what was written before", 0, "first"],
    ["of what was written before, at the file's own position", null, "first"],
  ])("%s has the rest from the host", (_where, position, text) => {
    const { fs } = setup;
    const fd = fs.openSync("/mnt/f", "r+");
    const view = fs.readView(fd, 0, PAGE); // its page stays
    if (text !== "") fs.writeSync(fd, text, 10);
    const empty = fill();
    const bytes = Buffer.alloc(10 * PAGE);
    assert.equal(fs.readSync(fd, bytes, 0, 3 * PAGE + 5, position), 3 * PAGE + 5);
    assert.deepEqual(bytes.subarray(0, 3 * PAGE + 5), changed([10, text]).subarray(0, 3 * PAGE + 5));
    assert.equal(bytes[3 * PAGE + 5], 0);
    assert.equal(fs.lseekSync(fd, 0, 1), position === null ? 3 * PAGE + 5 : 0);
    assert.deepEqual(onHost(), changed([10, text]));
    view.release();
    empty();
    fs.closeSync(fd);
  });
});
