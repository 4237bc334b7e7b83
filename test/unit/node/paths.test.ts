import { posix } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { joinPath, pathBelow, resolvePath, toPath } from "../../../src/node/paths.ts";
import { hostFace } from "./host-face.ts";

const DIRS = ["/", "/a", "/a/", "/a//b/", "a", "a/b", "./a", "../a", ".", "..", "", "a/..", "/a/../..", "../..//x"];
const NAMES = ["x", "x y", "..x", "\\", "é"];

describe("path computations", () => {
  it("join and resolve as node:path does", () => {
    for (const dir of DIRS) {
      for (const name of NAMES) expect(joinPath(dir, name), `${dir} ${name}`).toBe(posix.join(dir, name));
      expect(resolvePath("/base/dir", dir), dir).toBe(posix.resolve("/base/dir", dir));
    }
  });

  it("join bytes without looking into them", () => {
    expect([...(pathBelow("a", new Uint8Array([0xff])) as Uint8Array)]).toEqual([0x61, 0x2f, 0xff]);
    expect([...(pathBelow(new Uint8Array([0x2f]), "b") as Uint8Array)]).toEqual([0x2f, 0x62]);
  });

  it("takes file URLs for what they name", () => {
    for (const path of ["/a/b", "/with space/%41", "/é/ü"]) expect(toPath(pathToFileURL(path))).toBe(path);
  });

  it("passes text, bytes and URLs through every form", async () => {
    const { fs, at } = hostFace();
    fs.writeFileSync(Buffer.from(at("f")), "x");
    expect(fs.readFileSync(pathToFileURL(at("f")), "utf8")).toBe("x");
    expect(await fs.promises.readFile(new Uint8Array(Buffer.from(at("f"))) as Buffer, "utf8")).toBe("x");
  });
});
