import { describe, expect, it } from "vitest";
import { hostFace, thrownBy } from "./host-face.ts";

describe("FileHandle", () => {
  it("reads and writes with and without positions", async () => {
    const { fs, at } = hostFace();
    const handle = await fs.promises.open(at("f"), "w+");
    expect(await handle.write("hello")).toMatchObject({ bytesWritten: 5, buffer: "hello" });
    expect(await handle.write(Buffer.from("HE"), 0, 2, 0)).toMatchObject({ bytesWritten: 2 });
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(5), 0, 5, 0);
    expect([bytesRead, buffer.toString()]).toEqual([5, "HEllo"]);
    expect(await handle.read({ buffer: Buffer.alloc(2), position: 3 })).toMatchObject({ bytesRead: 2 });
    await handle.truncate(2);
    expect((await handle.stat()).size).toBe(2);
    await handle.chmod(0o600);
    await handle.utimes(5, 6);
    expect((await handle.stat({ bigint: true })).mtimeNs).toBe(6_000_000_000n);
    await handle.sync();
    await handle.datasync();
    await handle.close();
  });

  it("readFile starts at the position, writeFile and appendFile go on from it", async () => {
    const { fs, at } = hostFace();
    fs.writeFileSync(at("f"), "0123456789");
    const handle = await fs.promises.open(at("f"), "r+");
    await handle.read(Buffer.alloc(4), 0, 4, null);
    expect(await handle.readFile("utf8")).toBe("456789");
    await handle.writeFile("ab");
    await handle.appendFile(["c", "d"] as never);
    await handle.close();
    expect(fs.readFileSync(at("f"), "utf8")).toBe("0123456789abcd");
  });

  it("closes once, tells its listeners, and refuses to work afterwards", async () => {
    const { fs, at } = hostFace();
    const handle = await fs.promises.open(at("f"), "w");
    const { fd } = handle;
    let nrEvents = 0;
    (handle as unknown as NodeJS.EventEmitter).on("close", () => nrEvents++);
    const { close } = handle;
    await Promise.all([close(), close()]);
    await handle.close();
    expect([nrEvents, handle.fd]).toEqual([1, -1]);
    expect(thrownBy(() => fs.fstatSync(fd)).code).toBe("EBADF");
    await expect(handle.stat()).rejects.toMatchObject({ message: "file closed", code: "EBADF", syscall: "fstat" });
    await expect(handle.write("x")).rejects.toMatchObject({ code: "EBADF", syscall: "write" });
  });

  it("stays open until the calls under way are done", async () => {
    const { fs, sys, at } = hostFace();
    fs.writeFileSync(at("f"), "data");
    const handle = await fs.promises.open(at("f"));
    sys.held = 1;
    const text = handle.readFile("utf8");
    let isClosed = false;
    const closed = handle.close().then(() => {
      isClosed = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 2));
    expect(isClosed).toBe(false);
    sys.release();
    expect(await text).toBe("data");
    await closed;
    expect(handle.fd).toBe(-1);
  });

  it("is disposed of", async () => {
    const { fs, at } = hostFace();
    const handle = await fs.promises.open(at("f"), "w");
    await handle[Symbol.asyncDispose]();
    expect(handle.fd).toBe(-1);
  });

  it("says that streams are not there, on a face that is made without them", async () => {
    const { fs, at } = hostFace();
    const handle = await fs.promises.open(at("f"), "w+");
    for (const name of ["createReadStream", "createWriteStream", "readableWebStream", "readLines"] as const) {
      const error = thrownBy(() => handle[name]());
      expect(error.code).toBe("ERR_METHOD_NOT_IMPLEMENTED");
      expect(error.message).toBe(`The FileHandle.${name}() method is not implemented`);
    }
    await handle.close();
  });

  it("stands for a file in fs.promises", async () => {
    const { fs, at } = hostFace();
    const handle = await fs.promises.open(at("f"), "w+");
    await fs.promises.writeFile(handle, "one");
    await fs.promises.appendFile(handle, "two");
    expect(fs.readFileSync(at("f"), "utf8")).toBe("onetwo");
    await handle.close();
  });
});
