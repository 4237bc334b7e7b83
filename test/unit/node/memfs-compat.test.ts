import { memfs } from "memfs";
import { describe, expect, it } from "vitest";
import { createFsSync } from "../../../src/index.ts";
import { hostFace } from "./host-face.ts";

describe("fromJSON and toJSON", () => {
  it("fill a folder and print it", () => {
    const { fs, at } = hostFace();
    fs.fromJSON({ "./a/b.txt": "text", "c.bin": Buffer.from([1]) as never, "empty/dir": null }, at("root"));
    const expected = {
      [at("root/a/b.txt")]: "text",
      [at("root/c.bin")]: "\x01",
      [at("root/empty/dir")]: null,
    };
    expect(fs.toJSON(at("root"))).toEqual(expected);
    expect(fs.toJSON([at("root/a"), at("none")])).toEqual({ [at("root/a/b.txt")]: "text" });
    expect(fs.toJSON(at("root"), { kept: "x" }, true)).toEqual({
      kept: "x",
      "a/b.txt": "text",
      "c.bin": "\x01",
      "empty/dir": null,
    });
    expect(fs.toJSON(at("root/a"), {}, true, true)["b.txt"]).toEqual(Buffer.from("text"));
  });

  it("show an empty root and empty folders as memfs does", () => {
    const shown = (vol: JsonVolume): unknown[] => {
      vol.fromJSON(null as never);
      const seen = [vol.toJSON(), vol.toJSON("/"), vol.toJSON("/", {}, true)];
      vol.fromJSON({ "/a/b": null });
      seen.push(vol.toJSON(), vol.toJSON("/a/b"), vol.toJSON("/a/b", {}, true), vol.toJSON("/a", {}, true));
      vol.reset();
      return [...seen, vol.toJSON()];
    };
    const theirs = shown(memfs().vol as unknown as JsonVolume);
    expect(theirs).toHaveLength(8);
    expect(shown(createFsSync())).toEqual(theirs);
  });
});

interface JsonVolume {
  fromJSON(json: Record<string, null>): void;
  toJSON(paths?: string, json?: object, isRelative?: boolean): object;
  reset(): void;
}
