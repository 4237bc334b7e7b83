import { describe, expect, it } from "vitest";
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
});
