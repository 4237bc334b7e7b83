import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { hostFace } from "./host-face.ts";

describe("util.promisify", () => {
  it("gives counts and buffers as one object", async () => {
    const { fs, at } = hostFace();
    fs.writeFileSync(at("f"), "hello");
    const fd = fs.openSync(at("f"), "r+");
    const buffer = Buffer.alloc(2);
    expect(await promisify(fs.read)(fd, buffer, 0, 2, 1)).toEqual({ bytesRead: 2, buffer });
    expect(buffer.toString()).toBe("el");
    expect(await promisify(fs.write)(fd, "HE", 0)).toEqual({ bytesWritten: 2, buffer: "HE" });
    const buffers = [Buffer.alloc(1), Buffer.alloc(1)];
    expect(await promisify(fs.readv)(fd, buffers, 0)).toEqual({ bytesRead: 2, buffers });
    expect(await promisify(fs.writev)(fd, [Buffer.from("x")], 0)).toEqual({
      bytesWritten: 1,
      buffer: [Buffer.from("x")],
    });
    await expect(promisify(fs.read)(9999, buffer, 0, 2, 0)).rejects.toMatchObject({ code: "EBADF" });
    fs.closeSync(fd);
  });

  it("resolves exists with the answer", async () => {
    const { fs, at } = hostFace();
    expect(await promisify(fs.exists)(at(""))).toBe(true);
    expect(await promisify(fs.exists)(at("none"))).toBe(false);
  });

  it("works on the rest as on any callback function", async () => {
    const { fs, at } = hostFace();
    await promisify(fs.writeFile)(at("f"), "x");
    expect(await promisify(fs.readFile)(at("f"), "utf8")).toBe("x");
    expect((await promisify(fs.stat)(at("f"))).size).toBe(1);
  });
});
