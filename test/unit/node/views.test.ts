/**
 * Buffers that say they are longer than they are, and buffers that lose their memory while the clock is asked: no file
 * ever shows bytes that nobody wrote to it, and no byte outside of a buffer changes. Where Node answers at all, the
 * differential test compares with it (tables/views.ts); for most of these it ends its process.
 */
import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "vitest";
import { O_CREAT, O_RDWR } from "../../../src/base/stat-flags.ts";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import type { Task } from "../../../src/vfs/task.ts";
import { type Resizable, resizable } from "../../helpers/resizable.ts";

const MIB = 2 ** 20;
const SECRET = 0x53;
const OWN = 0x6f;
const GUARD = 0x67;

let fs: FolioFs;
/** What the clock does when it is asked next. */
let meddle: (() => void) | undefined;

function now(): number {
  const act = meddle;
  meddle = undefined;
  act?.();
  return Date.now();
}

/** A file system whose free memory is full of what was in deleted files. */
beforeEach(() => {
  meddle = undefined;
  fs = createFsSync({ memoryLimit: 64 * MIB, now });
  for (const size of [4096, 16 * 4096, 8 * MIB]) {
    fs.writeFileSync("/secret", new Uint8Array(size).fill(SECRET));
    fs.unlinkSync("/secret");
  }
});

/** A view of `length` bytes with other bytes around it. */
function guarded<V extends Uint8Array>(View: new (b: ArrayBuffer, o: number, n: number) => V, length: number): V {
  const around = new Uint8Array(length + 256).fill(GUARD);
  const view = new View(around.buffer, 128, length);
  Uint8Array.prototype.fill.call(view, OWN);
  return view;
}

/** Subclasses and own properties that answer `claimed` for a length, by name. */
function liars(length: number, claimed: number): Record<string, Uint8Array> {
  class ByteLength extends Uint8Array {
    override get byteLength(): number {
      return claimed;
    }
  }
  class Length extends Uint8Array {
    override get length(): number {
      return claimed;
    }
  }
  class Both extends ByteLength {
    override get length(): number {
      return claimed;
    }
  }
  class Everything extends Both {
    override get byteOffset(): number {
      return 0;
    }
    override get buffer(): ArrayBuffer {
      return new Uint8Array(claimed).fill(SECRET).buffer;
    }
    override set(): void {}
    override subarray(): Uint8Array<ArrayBuffer> {
      return new Uint8Array(claimed).fill(SECRET);
    }
    override slice(): Uint8Array<ArrayBuffer> {
      return this.subarray();
    }
  }
  const own = guarded(Uint8Array, length);
  for (const name of ["length", "byteLength"]) Object.defineProperty(own, name, { value: claimed });
  const ownBuffer = Buffer.alloc(length, OWN);
  for (const name of ["length", "byteLength"]) Object.defineProperty(ownBuffer, name, { get: () => claimed });
  return {
    byteLength: guarded(ByteLength, length),
    length: guarded(Length, length),
    both: guarded(Both, length),
    everything: guarded(Everything, length),
    "own properties": own,
    "own getters of a Buffer": ownBuffer,
  };
}

type Write = (data: Uint8Array, claimed: number) => unknown;

function withFd(call: (fd: number) => unknown): unknown {
  const fd = fs.openSync("/file", "w+");
  const done = (): void => fs.closeSync(fd);
  try {
    const outcome = call(fd);
    if (outcome instanceof Promise) return outcome.finally(done);
    done();
    return outcome;
  } catch (error) {
    done();
    throw error;
  }
}

async function withHandle(
  call: (handle: Awaited<ReturnType<FolioFs["promises"]["open"]>>) => unknown,
): Promise<unknown> {
  const handle = await fs.promises.open("/file", "w+");
  try {
    return await call(handle);
  } finally {
    await handle.close();
  }
}

function called(call: (done: (error: unknown, value?: unknown) => void) => void): Promise<unknown> {
  return new Promise((resolve, reject) => call((error, value) => (error ? reject(error) : resolve(value))));
}

/** Every way in. */
const WRITES: Record<string, Write> = {
  writeSync: (data) => withFd((fd) => fs.writeSync(fd, data)),
  "writeSync of a range": (data, claimed) => withFd((fd) => fs.writeSync(fd, data, 0, claimed)),
  "writeSync of the end": (data, claimed) => withFd((fd) => fs.writeSync(fd, data, 3, claimed - 3, 0)),
  "writeSync with options": (data, claimed) =>
    withFd((fd) => fs.writeSync(fd, data, { offset: 3, length: claimed - 3 } as never)),
  write: (data) => withFd((fd) => called((done) => fs.write(fd, data, done))),
  writevSync: (data) => withFd((fd) => fs.writevSync(fd, [data, data])),
  writev: (data) => withFd((fd) => called((done) => fs.writev(fd, [data, data], done))),
  writeFileSync: (data) => fs.writeFileSync("/file", data),
  "writeFileSync with options": (data) => fs.writeFileSync("/file", data, { mode: 0o600 }),
  "writeFileSync by descriptor": (data) => withFd((fd) => fs.writeFileSync(fd, data)),
  writeFile: (data) => called((done) => fs.writeFile("/file", data, done)),
  "promises.writeFile": (data) => fs.promises.writeFile("/file", data),
  "promises.writeFile of pieces": (data) => fs.promises.writeFile("/file", [data, data] as never),
  appendFileSync: (data) => fs.appendFileSync("/file", data),
  appendFile: (data) => called((done) => fs.appendFile("/file", data, done)),
  "promises.appendFile": (data) => fs.promises.appendFile("/file", data),
  "handle.write": (data) => withHandle((handle) => handle.write(data)),
  "handle.write of a range": (data, claimed) => withHandle((handle) => handle.write(data, 0, claimed)),
  "handle.writev": (data) => withHandle((handle) => handle.writev([data, data])),
  "handle.writeFile": (data) => withHandle((handle) => handle.writeFile(data)),
  "handle.appendFile": (data) => withHandle((handle) => handle.appendFile(data)),
  fromJSON: (data) => fs.fromJSON({ "/file": data as never }),
  "the system call": (data, claimed) => {
    const task = fs.kernel.vfs.newTask({}) as Task;
    const fd = task.open("/file", O_CREAT | O_RDWR, 0o644);
    const written = task.write(fd, data, 0, claimed, -1);
    task.exit();
    return written;
  },
};

/** What the file holds is what was to be written, or nothing. */
async function checkWrite(write: Write, data: Uint8Array, claimed: number, most: number): Promise<void> {
  try {
    await write(data, claimed);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    assert.match(code ?? message, /^(ERR_OUT_OF_RANGE|EFAULT|Cannot perform .* detached ArrayBuffer)$/);
  }
  meddle = undefined;
  if (!fs.existsSync("/file")) return;
  const bytes = fs.readFileSync("/file") as Uint8Array;
  assert.ok(bytes.length <= most, `${bytes.length} bytes, at most ${most}`);
  assert.ok(
    bytes.every((byte) => byte === OWN),
    "bytes of elsewhere",
  );
  fs.rmSync("/file");
}

describe.each(Object.entries(WRITES))("%s", (_name, write) => {
  it.each([
    [10, 4096],
    [10, 3 * MIB],
    [5000, 5001],
    [5000, 70_000],
    [200_000, 3 * MIB],
    [5000, 10],
    [MIB + 5, 100],
  ])("of %i bytes that say they are %i", async (length, claimed) => {
    for (const data of Object.values(liars(length, claimed))) await checkWrite(write, data, claimed, 2 * length);
  });

  it.each([
    [10, 0],
    [4096, 10],
    [70_000, 5000],
    [3 * MIB, 2 * MIB],
    [3 * MIB, 100],
  ])("of %i bytes of which the clock leaves %i", async (length, left) => {
    const makers: ((buffer: Resizable) => Uint8Array)[] = [
      (buffer) => new Uint8Array(buffer),
      (buffer) => new Uint8Array(buffer, 0, length),
      (buffer) => Buffer.from(buffer),
      (buffer) => Buffer.from(buffer, 3, length - 3),
    ];
    for (const make of makers) {
      const buffer = resizable(length);
      new Uint8Array(buffer).fill(OWN);
      const data = make(buffer);
      meddle = () => buffer.resize(left);
      await checkWrite(write, data, data.length, 2 * length);
    }
  });

  it.each([10, 5000, 3 * MIB])("of %i bytes that the clock detaches", async (length) => {
    const data = new Uint8Array(length).fill(OWN);
    meddle = () => void structuredClone(data.buffer, { transfer: [data.buffer] });
    await checkWrite(write, data, length, 2 * length);
  });
});

describe("a write that the clock cuts short", () => {
  it("counts what there is, and no more", () => {
    const buffer = resizable(4096);
    const data = new Uint8Array(buffer).fill(OWN);
    const fd = fs.openSync("/file", "w+");
    meddle = () => buffer.resize(10);

    assert.equal(fs.writeSync(fd, data, 0, 4096), 10);

    assert.equal(fs.fstatSync(fd).size, 10);
    assert.equal(fs.writeSync(fd, "x"), 1);
    assert.equal(fs.readFileSync("/file", "latin1"), `${"o".repeat(10)}x`);
  });

  it("is EFAULT when there is nothing left, and changes nothing", () => {
    const data = new Uint8Array(4096).fill(OWN);
    const fd = fs.openSync("/file", "w+");
    meddle = () => void structuredClone(data.buffer, { transfer: [data.buffer] });

    assert.throws(() => fs.writeSync(fd, data, 0, 4096), { code: "EFAULT", syscall: "write" });

    assert.equal(fs.fstatSync(fd).size, 0);
  });
});

type Read = (into: Uint8Array, claimed: number) => unknown;

/** Every way out. Each gives the number of bytes read, or a buffer. */
const READS: Record<string, Read> = {
  readSync: (into) => withFile((fd) => fs.readSync(fd, into)),
  "readSync of a range": (into, claimed) => withFile((fd) => fs.readSync(fd, into, 0, claimed, null)),
  "readSync to the end": (into, claimed) => withFile((fd) => fs.readSync(fd, into, 3, claimed - 3, 0)),
  read: (into, claimed) => withFile((fd) => called((done) => fs.read(fd, into, 0, claimed, null, done))),
  readvSync: (into) => withFile((fd) => fs.readvSync(fd, [into, into])),
  "handle.read": (into, claimed) => onHandle((handle) => handle.read(into, 0, claimed)),
  "handle.readv": (into) => onHandle((handle) => handle.readv([into])),
  readFileSync: (into) => fs.readFileSync("/data", { buffer: into } as never),
  "the system call": (into, claimed) => {
    const task = fs.kernel.vfs.newTask({}) as Task;
    const count = task.read(task.open("/data", O_RDWR, 0), into, 0, claimed, -1);
    task.exit();
    return count;
  },
};

function withFile(call: (fd: number) => unknown): unknown {
  const fd = fs.openSync("/data", "r");
  try {
    return call(fd);
  } finally {
    if (meddle === undefined) fs.closeSync(fd);
  }
}

async function onHandle(call: (handle: Awaited<ReturnType<FolioFs["promises"]["open"]>>) => unknown): Promise<unknown> {
  const handle = await fs.promises.open("/data", "r");
  try {
    return await call(handle);
  } finally {
    await handle.close();
  }
}

async function readOrRefuse(read: Read, into: Uint8Array, claimed: number): Promise<void> {
  try {
    await read(into, claimed);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    assert.match(code ?? "", /^(ERR_OUT_OF_RANGE|ERR_INVALID_ARG_VALUE|EFAULT)$/, String(error));
  }
}

describe.each(Object.entries(READS))("%s", (_name, read) => {
  beforeEach(() => fs.writeFileSync("/data", new Uint8Array(3 * MIB).fill(OWN)));

  it.each([
    [10, 4096],
    [10, 3 * MIB],
    [5000, 70_000],
    [2 * MIB, 3 * MIB],
    [5000, 10],
  ])("into %i bytes that say they are %i", async (length, claimed) => {
    const buffers = liars(length, claimed);
    for (const [name, into] of Object.entries(buffers)) {
      await readOrRefuse(read, into, claimed);
      if (Buffer.isBuffer(into) || name === "everything") continue; // nothing of ours lies around them
      const around = new Uint8Array(into.buffer);
      assert.equal(around.indexOf(OWN), 128);
      for (const at of [0, 127, 128 + length, around.length - 1]) assert.equal(around[at], GUARD, `${name} at ${at}`);
    }
  });

  it.each([
    [4096, 10],
    [3 * MIB, 5000],
    [70_000, 0],
  ])("into %i bytes of which the clock leaves %i", async (length, left) => {
    for (const make of [(b: Resizable) => new Uint8Array(b), (b: Resizable) => new Uint8Array(b, 0, length)]) {
      const buffer = resizable(length);
      const into = make(buffer);
      fs.utimesSync("/data", 1, 2); // the access time is older than the other: the next read asks the clock
      meddle = () => buffer.resize(left);
      await readOrRefuse(read, into, length);
      meddle = undefined;
    }
  });
});

describe("a read that the clock cuts short", () => {
  it("moves the file's position as far as it has read", () => {
    fs.writeFileSync("/data", "0123456789abcdef");
    const buffer = resizable(16);
    const into = new Uint8Array(buffer);
    const fd = fs.openSync("/data", "r");
    fs.utimesSync("/data", 1, 2);
    meddle = () => buffer.resize(4);

    assert.equal(fs.readSync(fd, into, 0, 16, null), 4);

    assert.equal(Buffer.from(into).toString(), "0123");
    const rest = Buffer.alloc(16);
    assert.equal(rest.toString("latin1", 0, fs.readSync(fd, rest)), "456789abcdef");
  });
});

describe("a path of bytes", () => {
  it("is as long as it is", () => {
    for (const path of Object.values(liars(9, 3))) {
      Uint8Array.prototype.fill.call(path, 0x61);
      path[0] = 0x2f;
      fs.writeFileSync(path as never, "text");
      assert.equal(fs.readFileSync("/aaaaaaaa", "utf8"), "text");
      fs.unlinkSync("/aaaaaaaa");
    }
    const long = new Uint8Array(20_000).fill(0x61);
    Object.defineProperty(long, "length", { value: 3 });
    assert.throws(() => fs.statSync(long as never), { code: "ENAMETOOLONG" });
  });
});

describe("a snapshot", () => {
  it("is restored from what its bytes are", async () => {
    fs.writeFileSync("/file", "text");
    const bytes = fs.kernel.snapshot();
    for (const name of ["length", "byteLength", "subarray", "set"]) Object.defineProperty(bytes, name, { value: 100 });
    const { restoreFsSync } = await import("../../../src/index.ts");
    assert.equal(restoreFsSync(bytes).readFileSync("/file", "utf8"), "text");
  });
});

describe("what only has the prototype of a Uint8Array", () => {
  /** An array with holes: it has an element where a range ends, and none behind it. */
  function impostor(): Uint8Array {
    const array: number[] = [1, 2, 3];
    array[MIB] = 4;
    return Object.setPrototypeOf(array, Uint8Array.prototype);
  }

  it.each(["sync", "the system call"])("is not written: %s", (how) => {
    fs.writeFileSync("/other", new Uint8Array(4 * MIB).fill(OWN));
    const task = fs.kernel.vfs.newTask({}) as Task;
    const fd = task.open("/file", O_CREAT | O_RDWR, 0o644);
    const write =
      how === "sync"
        ? () => fs.writeSync(fs.openSync("/file", "w"), impostor(), 0, 3)
        : () => task.write(fd, impostor(), 0, 3, -1);

    assert.throws(write, TypeError);

    assert.equal(fs.statSync("/file").size, 0);
    assert.ok((fs.readFileSync("/other") as Uint8Array).every((byte) => byte === OWN));
    task.exit();
  });

  it("is not read into", () => {
    fs.writeFileSync("/data", "0123456789");
    const fd = fs.openSync("/data", "r");
    assert.throws(() => fs.readSync(fd, impostor(), 0, 3, 0), TypeError);
    fs.closeSync(fd);
  });
});
