import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { hostFace, thrownBy } from "./host-face.ts";

describe("callback forms", () => {
  it("run the callback after the call has returned", async () => {
    const { fs, at } = hostFace();
    const order: string[] = [];
    const done = new Promise<void>((resolve) => {
      fs.stat(at("none"), (error) => {
        order.push(error?.code ?? "no error");
        resolve();
      });
    });
    order.push("returned");
    await done;
    expect(order).toEqual(["returned", "ENOENT"]);
  });

  it("give null alone for success without a value", async () => {
    const { fs, at } = hostFace();
    const results = await new Promise<unknown[]>((resolve) => {
      fs.mkdir(at("d"), (...all: unknown[]) => resolve(all));
    });
    expect(results).toEqual([null]);
  });

  it("give undefined as a value where the caller asked for it", async () => {
    const { fs, at } = hostFace();
    const results = await new Promise<unknown[]>((resolve) => {
      fs.stat(at("none"), { throwIfNoEntry: false } as object, (...all: unknown[]) => resolve(all));
    });
    expect(results).toEqual([null, undefined]);
  });

  it("throw wrong arguments, and a missing callback, at once", () => {
    const { fs, at } = hostFace();
    const call = fs as unknown as Record<string, (...all: unknown[]) => void>;
    for (const name of ["stat", "unlink", "readFile", "mkdir", "rm", "readdir", "open", "fsync", "exists"]) {
      const error = thrownBy(() => call[name](name === "fsync" ? 3 : at("f")));
      expect(error.code, name).toBe("ERR_INVALID_ARG_TYPE");
      expect(error.message, name).toContain('The "cb" argument must be of type function. Received undefined');
    }
    expect(thrownBy(() => call.stat(3, () => {})).message).toContain('The "path" argument');
  });

  it("make what a callback throws an uncaught exception", async () => {
    const { fs, at } = hostFace();
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    try {
      const caught = once(process, "uncaughtException");
      fs.stat(at("none"), () => {
        throw new Error("from the callback");
      });
      const [error] = await caught;
      expect((error as Error).message).toBe("from the callback");
    } finally {
      for (const listener of listeners) process.on("uncaughtException", listener);
    }
  });

  it("give the buffer back with the count, on failure too", async () => {
    const { fs } = hostFace();
    const buffer = Buffer.alloc(4);
    const results = await new Promise<unknown[]>((resolve) => {
      fs.read(9999, buffer, 0, 4, 0, (...all: unknown[]) => resolve(all));
    });
    expect((results[0] as { code: string }).code).toBe("EBADF");
    expect(results.slice(1)).toEqual([0, buffer]);
  });

  it("exists answers by its only argument, later even for what is no path", async () => {
    const { fs, at } = hostFace();
    fs.writeFileSync(at("f"), "");
    const ask = (path: unknown) => new Promise((resolve) => fs.exists(path as string, resolve));
    expect(await ask(at("f"))).toBe(true);
    expect(await ask(at("none"))).toBe(false);
    let isReturned = false;
    const answer = new Promise((resolve) => fs.exists(3 as never, (found) => resolve([found, isReturned])));
    isReturned = true;
    expect(await answer).toEqual([false, true]);
  });

  it("close without a callback throws its failure as an uncaught exception", async () => {
    const { fs } = hostFace();
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    try {
      const caught = once(process, "uncaughtException");
      fs.close(9999);
      expect(((await caught)[0] as { code: string }).code).toBe("EBADF");
    } finally {
      for (const listener of listeners) process.on("uncaughtException", listener);
    }
  });
});

describe("promise forms", () => {
  it("reject wrong arguments instead of throwing them", async () => {
    const { fs } = hostFace();
    const promise = fs.promises.stat(3 as never);
    await expect(promise).rejects.toMatchObject({ code: "ERR_INVALID_ARG_TYPE" });
  });

  it("settle with Node's error", async () => {
    const { fs, at } = hostFace();
    await expect(fs.promises.rename(at("a"), at("b"))).rejects.toMatchObject({
      errno: -2,
      code: "ENOENT",
      syscall: "rename",
      path: at("a"),
      dest: at("b"),
    });
  });
});

describe("waiting for an asynchronous store", () => {
  it("synchronous calls fail with EAGAIN, and leave nothing open", () => {
    const { fs, sys, at } = hostFace();
    fs.writeFileSync(at("f"), "data");
    const before = fs.openSync(at("f"), "r");
    fs.closeSync(before);
    for (const options of ["utf8", "latin1", undefined]) {
      sys.held = 1;
      expect(thrownBy(() => fs.readFileSync(at("f"), options as "utf8")).code).toBe("EAGAIN");
    }
    sys.held = 1;
    expect(thrownBy(() => fs.writeFileSync(at("f"), Buffer.from("x"), { mode: 0o600 })).code).toBe("EAGAIN");
    const after = fs.openSync(at("f"), "r");
    fs.closeSync(after);
    expect(after).toBe(before);
  });

  it("promise calls await the token and go on", async () => {
    const { fs, sys, at } = hostFace();
    fs.writeFileSync(at("f"), "some data");
    sys.held = 1;
    const text = fs.promises.readFile(at("f"), "utf8");
    const spy = vi.fn();
    void text.then(spy);
    await sleep(5);
    expect(spy).not.toHaveBeenCalled();
    sys.release();
    expect(await text).toBe("some data");
  });

  it("callback calls await the token and go on", async () => {
    const { fs, sys, at } = hostFace();
    fs.writeFileSync(at("f"), "some data");
    const fd = fs.openSync(at("f"), "r");
    const buffer = Buffer.alloc(4);
    sys.held = 1;
    const count = new Promise((resolve) => fs.read(fd, buffer, 0, 4, 5, (_error, bytesRead) => resolve(bytesRead)));
    sys.release();
    expect(await count).toBe(4);
    expect(buffer.toString()).toBe("data");
    fs.closeSync(fd);
  });

  it("a vector goes on behind the buffers that are done", async () => {
    const { fs, sys, at } = hostFace();
    const handle = await fs.promises.open(at("f"), "w+");
    const { bytesWritten } = await handle.writev([Buffer.from("ab"), Buffer.from("cd")]);
    expect(bytesWritten).toBe(4);
    const buffers = [Buffer.alloc(2), Buffer.alloc(2)];
    sys.calls = [];
    sys.held = 1;
    const read = handle.readv(buffers, 0);
    await sleep(1);
    sys.release();
    expect((await read).bytesRead).toBe(4);
    expect(Buffer.concat(buffers).toString()).toBe("abcd");
    expect(sys.calls.filter((call) => call === "read")).toHaveLength(3);
    await handle.close();
  });

  it.each([{}, { signal: new AbortController().signal }])(
    "a store that gives up ends the call, and leaves nothing open",
    async (options) => {
      const { fs, sys, at } = hostFace();
      fs.writeFileSync(at("f"), "some data");
      const lowest = fs.openSync(at("f"), "r");
      fs.closeSync(lowest);
      sys.held = 1;
      sys.waitToken = () => Promise.reject(new Error("the store is gone"));
      await expect(fs.promises.readFile(at("f"), options)).rejects.toThrow("the store is gone");
      const next = fs.openSync(at("f"), "r");
      fs.closeSync(next);
      expect(next).toBe(lowest);
    },
  );

  it("an abort while waiting gives the file up", async () => {
    const { fs, sys, at } = hostFace();
    fs.writeFileSync(at("f"), "some data");
    const lowest = fs.openSync(at("f"), "r");
    fs.closeSync(lowest);
    const controller = new AbortController();
    sys.held = 1;
    const text = fs.promises.readFile(at("f"), { signal: controller.signal });
    controller.abort();
    sys.release();
    await expect(text).rejects.toMatchObject({ name: "AbortError", code: "ABORT_ERR" });
    const next = fs.openSync(at("f"), "r");
    fs.closeSync(next);
    expect(next).toBe(lowest);
  });
});

describe("the object", () => {
  it("has own, enumerable data properties and functions that need no this", () => {
    const { fs, at } = hostFace();
    const clone = Object.create(Object.getPrototypeOf(fs));
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(fs))) {
      expect(descriptor.enumerable, name).toBe(true);
      expect("value" in descriptor, name).toBe(true);
      Object.defineProperty(clone, name, descriptor);
    }
    const { writeFileSync, readFileSync } = clone;
    writeFileSync(at("f"), "x");
    expect(readFileSync(at("f"), "utf8")).toBe("x");
  });

  it("has what Node makes seconds with", () => {
    const { fs } = hostFace();
    const { _toUnixTimestamp: seconds } = fs as unknown as {
      _toUnixTimestamp: (time: unknown, name?: string) => number;
    };
    expect([seconds("12.5"), seconds(7), seconds(new Date(1500))]).toEqual([12.5, 7, 1.5]);
    const error = thrownBy(() => seconds({}, "atime"));
    expect(error.code).toBe("ERR_INVALID_ARG_TYPE");
    expect(error.message).toContain('The "atime" argument must be an instance of Date');
  });

  it("has Node's names and numbers of parameters", () => {
    const { fs } = hostFace();
    expect([fs.openSync.name, fs.openSync.length]).toEqual(["openSync", 3]);
    expect([fs.statSync.name, fs.statSync.length]).toEqual(["statSync", 1]);
    expect([fs.promises.unlink.name, fs.promises.unlink.length]).toEqual(["unlink", 1]);
    expect("lchmod" in fs && fs.lchmod).toBeUndefined();
  });
});
